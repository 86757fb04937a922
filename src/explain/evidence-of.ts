import type { Evidence } from './evidence';
import type { Forward } from './forward';
import { gradientEvidence } from './gradients';
import { groupCam } from './group-cam';
import { ablationCam, reciproCam } from './head-only';
import { camEvidence } from './pooling-head';
import { rise } from './rise';
import { sampledScoreCam } from './sampled-score-cam';
import { type ScoreCamOptions, scoreCam } from './score-cam';
import type { Method } from './types';

/** Whether a method runs backwards, for which the forward pass must keep the layers behind the target. */
export function usesGradients(method: Method): boolean {
  return ['grad-cam', 'grad-cam++', 'hires-cam', 'layer-cam', 'group-cam'].includes(method);
}

/** Runs what the method needs besides the forward pass. */
export function evidenceOf(forward: Forward, options: ScoreCamOptions): Promise<Evidence> {
  const { choice } = options;
  switch (choice.method) {
    case 'score-cam':
    case 'faster-score-cam':
      return scoreCam(forward, options);
    case 'ss-cam':
    case 'is-cam':
      return sampledScoreCam(forward, options);
    case 'group-cam':
      return groupCam(forward, options);
    case 'rise':
      return rise(forward, options);
    case 'ablation-cam':
      return ablationCam(forward, options);
    case 'recipro-cam':
      return reciproCam(forward, options);
    case 'cam':
      return camEvidence(forward);
    default:
      return gradientEvidence(forward, choice);
  }
}
