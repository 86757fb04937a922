import { FINER } from './finer';
import type { MethodDescription } from './method';
import { scoreCam } from './score-cam';

const TOP = 10;

export const fasterScoreCam: MethodDescription<'faster-score-cam'> = {
  name: 'faster-score-cam',
  title: 'Faster-Score-CAM',
  summary: 'Score-CAM of the most varied maps only',
  source: 'Li et al. 2020',
  options: {
    weighting: 'probability',
    alignCorners: undefined,
    baseline: 'mean',
    top: TOP,
    validate: false,
    ...FINER,
  },
  needsGradients: false,
  usesLayer: true,
  givesPreviews: true,
  cost: (options, target) => scoreCam.cost({ ...options, top: options.top ?? TOP }, target),
  load: scoreCam.load,
};
