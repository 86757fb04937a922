import { evaluatedChannels, forwardPasses } from './cost';
import { FINER } from './finer';
import type { MethodDescription } from './method';
import { weightings } from './weightings';

export const scoreCam: MethodDescription<'score-cam'> = {
  name: 'score-cam',
  title: 'Score-CAM',
  summary: 'Hides all but what one map shows, and asks again',
  source: 'Wang et al. 2020',
  options: {
    weighting: 'probability',
    alignCorners: undefined,
    baseline: 'mean',
    channels: undefined,
    validate: false,
    ...FINER,
  },
  needsGradients: false,
  usesLayer: true,
  givesPreviews: true,
  cost(options, { channels }) {
    const { needsBaseline } = weightings[options.weighting ?? 'probability'];
    return forwardPasses(1 + evaluatedChannels(options, channels) + Number(needsBaseline));
  },
  load: async () => (await import('./runs/score-cam')).scoreCam,
};
