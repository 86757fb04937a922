import { ScoreCamError } from '../errors';
import { Arena } from '../gpu/arena';
import type { Slice } from '../gpu/kernel';
import { firstNotFinite } from '../numbers/finite';
import type { Plan } from '../plan/compile';
import type { Step } from '../plan/steps';
import type { Engine } from './engine';
import { maskedImage } from './masked-image';
import type { Masks } from './skipping';

/* What is said of a pass that overflowed. Loaded when one has. */

/**
 * The error that names the first step whose output is not finite, which there is.
 * @param magnitudes [steps] the largest of each output
 * @param of whose pass it is
 */
export function overflow(
  { precision }: Plan,
  steps: readonly Step[],
  magnitudes: Float32Array,
  of: string,
): ScoreCamError {
  const at = firstNotFinite(magnitudes);
  const [layer, ...others] = (steps[at] as Step).layers;
  const whole = others.length > 0 ? `, computed together with ${others.join(', ')}` : '';
  const before =
    at > 0 ? `values of up to ${magnitudes[at - 1]?.toExponential(1)} before it` : 'it';
  const most =
    precision !== 'f32'
      ? '65504, the largest of f16. Use precision f32'
      : '3.4e38, the largest of f32. Use smaller weights';
  return new ScoreCamError(
    'not-finite',
    `Layer "${layer}" overflows for ${of}${whole}: ${before} give${at > 0 ? '' : 's'} values beyond ${most}.`,
  );
}

/** What runs a pass, with magnitudes. */
interface Passing extends Engine {
  forward(image: Slice, arena: Arena, options: { readonly of: string }): Promise<unknown>;
}

/**
 * The error for an image whose logits are not finite: its pass is run again, with magnitudes.
 * @throws ScoreCamError `not-finite` naming the layer
 */
export async function overflowOf(
  runner: Passing,
  image: Slice,
  of: string,
): Promise<ScoreCamError> {
  const arena = new Arena(runner.gpu);
  try {
    await runner.forward(image, arena, { of });
    return new ScoreCamError(
      'not-finite',
      `The logits of ${of} are not finite, and no layer overflows when it is run alone.`,
    );
  } finally {
    arena.dispose();
  }
}

/** The same for the image under mask `channels[mask]`. */
export async function maskedOverflow(
  runner: Passing,
  image: Slice,
  masks: Masks,
  mask: number,
): Promise<ScoreCamError> {
  const { gpu, plan } = runner;
  const arena = new Arena(gpu);
  try {
    const { output, dispatches } = maskedImage(plan.network.input, image, masks, mask, arena);
    await gpu.submit('masked image', dispatches);
    return await overflowOf(
      runner,
      output,
      `the image under the mask of channel ${masks.channels[mask]}`,
    );
  } finally {
    arena.dispose();
  }
}
