import { ScoreCamError } from '../errors';
import { Arena } from '../gpu/arena';
import type { Slice } from '../gpu/kernel';
import { IMAGE } from '../model/network';
import { firstNotFinite } from '../numbers/finite';
import { keeping } from '../plan/compile';
import type { Engine } from './engine';
import { maskedImage } from './masked-image';
import { Recorder } from './recorder';
import type { Masks } from './skipping';

/*
 * Where a pass overflowed whose logits are not finite. Kernels hand on what is not finite as +infinity
 * (shared/activation.wgsl), so it shows at the end, and the pass is run again to find the layer. Loaded when it happens.
 */

/**
 * The error that names the first layer whose output is not finite.
 * @param image [C, H, W], normalised
 * @param of whose pass it is, for the message
 */
export async function overflowOf(
  { gpu, plan, weights }: Engine,
  image: Slice,
  of: string,
): Promise<ScoreCamError> {
  const { steps } = keeping(
    plan,
    plan.network.layers.map(({ name }) => name),
  );
  const arena = new Arena(gpu);
  try {
    const given = new Map([[IMAGE, image]]);
    const { dispatches, tensors } = new Recorder(weights).steps(steps, given, { batch: 1, arena });
    await gpu.submit('where a pass overflows', dispatches);
    const isHalf = plan.precision === 'f16';
    let before = largestOf((await gpu.compute('image', [], [image]))[0]);
    for (const { name } of steps) {
      const [values] = await gpu.compute(name, [], [tensors.get(name) as Slice]);
      if (firstNotFinite(values) >= 0) {
        return new ScoreCamError(
          'not-finite',
          `Layer "${name}" overflows for ${of}: values of up to ${before.toExponential(1)} before it give ones ` +
            `beyond ${isHalf ? '65504, the largest of f16. Use precision f32' : '3.4e38, the largest of f32. Use smaller weights'}.`,
        );
      }
      before = largestOf(values);
    }
    return new ScoreCamError(
      'not-finite',
      `The logits of ${of} are not finite, and no layer overflows when it is run alone.`,
    );
  } finally {
    arena.dispose();
  }
}

/** By its absolute value. */
function largestOf(values: Float32Array): number {
  return values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}

/** The same for the image under mask `channels[mask]`. */
export async function maskedOverflowOf(
  engine: Engine,
  image: Slice,
  masks: Masks,
  mask: number,
): Promise<ScoreCamError> {
  const { gpu, plan } = engine;
  const arena = new Arena(gpu);
  try {
    const { output, dispatches } = maskedImage(plan.network.input, image, masks, mask, arena);
    await gpu.submit('masked image', dispatches);
    return await overflowOf(
      engine,
      output,
      `the image under the mask of channel ${masks.channels[mask]}`,
    );
  } finally {
    arena.dispose();
  }
}
