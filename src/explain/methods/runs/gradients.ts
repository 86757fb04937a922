import { checkFinite } from '../../../numbers/finite';
import { gradients, readTape, type Score } from '../../../runtime/backward';
import { type Evidence, unmasked } from '../../evidence';
import type { Forward } from '../../forward';
import { questionOf } from '../finer';
import type { RunMethod, RunOptions } from '../method';
import { byChannel, type GradientRule } from './gradient-rule';

/**
 * The gradient methods: each class costs one backward pass, from what the forward pass kept, which is in
 * page memory from here on. Maps are rectified, then resized, as in the papers and pytorch-grad-cam.
 * @throws ScoreCamError `not-finite` if a gradient overflows.
 */
export async function gradientEvidence(
  { runner, logits, kept, targets }: Forward,
  { choice }: RunOptions,
  weigh: GradientRule,
): Promise<Evidence> {
  const { layers, of = 'logit' } = choice;
  const tape = await readTape(runner, logits, kept, layers);
  const own = targets.map(({ name, maps, constantChannels }) => ({ name, maps, constantChannels }));
  return {
    rule: { relu: 'before', alignCorners: false },
    passes: { forward: 0, backward: 0, head: 0 },
    passesOfClass: { forward: 0, backward: 1, head: 0 },
    ofClass: async (classIndex) => {
      const question = await questionOf(classIndex, logits, choice);
      const score: Score = { question, of };
      const found = await gradients(runner, tape, layers, score);
      return own.map((target) => {
        const gradient = found.get(target.name) as Float32Array;
        checkFinite(gradient, `The gradients at ${target.name}`);
        const weighed = weigh(target.maps, gradient);
        checkFinite(weighed.alpha, `The weights of ${target.name}`);
        return { ...unmasked(target), ...weighed };
      });
    },
  };
}

/** alpha_k = mean over pixels of g_k. */
export const meanGradients: GradientRule = (maps, gradient) =>
  byChannel(maps, (from, to) => {
    let sum = 0;
    for (let i = from; i < to; i++) sum += gradient[i] as number;
    return sum / (to - from);
  });

export const gradCam: RunMethod = (forward, options) =>
  gradientEvidence(forward, options, meanGradients);
