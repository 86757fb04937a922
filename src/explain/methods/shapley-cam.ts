import { ScoreCamError } from '../../errors';
import { type Network, targetIndex } from '../../model/network';
import { isKnownByOutput } from '../../numbers/activation';
import { FINER } from './finer';
import { gradientFacts } from './gradient-method';
import type { MethodDescription } from './method';

export const shapleyCam: MethodDescription<'shapley-cam'> = {
  ...gradientFacts({
    name: 'shapley-cam',
    title: 'ShapleyCAM',
    summary: 'Grad-CAM less the curvature of the score, of which networks of ReLUs have none',
    source: 'Cai 2025',
  }),
  options: FINER,
  check(network, layers) {
    for (const layer of layers) checkStraight(network, layer);
  },
  load: async () => (await import('./runs/shapley-cam')).shapleyCam,
};

/** Refuses layers behind which logits are not piecewise linear: their second derivatives are not computed. */
function checkStraight(network: Network, target: string): void {
  const curved = network.layers.slice(targetIndex(network, target)).find((layer) => {
    const bends = 'activation' in layer && !isKnownByOutput(layer.activation);
    return layer.name !== target && (bends || layer.type === 'multiply');
  });
  if (!curved) return;
  throw new ScoreCamError(
    'option',
    `shapley-cam needs piecewise linear layers behind ${target}, and "${curved.name}" is curved: use grad-cam.`,
  );
}
