import { ScoreCamError } from '../../errors';
import type { ConvDtype } from '../../numbers/dtypes';
import { encodeF16 } from '../../numbers/f16';
import { roundUp } from '../../numbers/padding';
import type { WindowShape } from './window_shape';

export interface PackedWindowConv {
  readonly weights: Float32Array<ArrayBuffer> | Uint16Array<ArrayBuffer>;
  readonly bias: Float32Array<ArrayBuffer>;
}

/** What the layout of weights depends on. */
export type WindowFilters = Pick<WindowShape, 'inChannels' | 'outChannels' | 'kernel' | 'groups'>;

/** Whether `depthwise` computes it, and its weights are packed for that. */
export function isDepthwise({ groups, inChannels }: Pick<WindowShape, 'groups' | 'inChannels'>) {
  return groups > 1 && groups === inChannels;
}

/**
 * Packs weights [O, I / groups, height, width] and bias [O], filled up with zeros.
 * - For `windowConv` and `maskedWindowConv`, whatever the tiling: weights [groups, height width, I / groups rounded up to
 *   4, O / groups rounded up to 8] of `dtype`, bias [groups, O / groups rounded up to 8] in f32.
 * - For `depthwise`, where {@link isDepthwise}: weights [O, height width rounded up to 4], bias [O].
 * @param isMasked for `maskedWindowConv`, which computes depthwise convolutions too
 * @throws ScoreCamError `weights` for arrays of other sizes, and for a weight that f16 cannot hold
 */
export function packWindowConv(
  weights: Float32Array,
  bias: Float32Array,
  shape: WindowFilters,
  dtype: ConvDtype,
  isMasked = false,
): PackedWindowConv {
  const { inChannels, outChannels, kernel, groups } = shape;
  const [depth, each] = [inChannels / groups, outChannels / groups];
  const taps = kernel[0] * kernel[1];
  if (weights.length !== outChannels * depth * taps || bias.length !== outChannels) {
    throw new ScoreCamError(
      'weights',
      `A ${kernel.join('x')} convolution of ${inChannels} to ${outChannels} channels in ${groups} groups needs ` +
        `${outChannels * depth * taps} weights and ${outChannels} biases, got ${weights.length} and ${bias.length}.`,
    );
  }
  const values = dtype === 'f16' ? encodeF16(weights) : weights;
  const zeros = (size: number) =>
    dtype === 'f16' ? new Uint16Array(size) : new Float32Array(size);
  if (isDepthwise(shape) && !isMasked) {
    const pitch = roundUp(taps, 4);
    const packed = zeros(outChannels * pitch);
    for (let o = 0; o < outChannels; o++) {
      packed.set(values.subarray(o * taps, (o + 1) * taps), o * pitch);
    }
    return { weights: packed, bias: bias.slice() };
  }
  const [rows, stride] = [roundUp(depth, 4), roundUp(each, 8)];
  const packed = zeros(groups * taps * rows * stride);
  const packedBias = new Float32Array(groups * stride);
  let from = 0;
  for (let o = 0; o < outChannels; o++) {
    const [group, own] = [Math.floor(o / each), o % each];
    packedBias[group * stride + own] = bias[o] as number;
    for (let c = 0; c < depth; c++) {
      for (let tap = 0; tap < taps; tap++) {
        packed[((group * taps + tap) * rows + c) * stride + own] = values[from++] as number;
      }
    }
  }
  return { weights: packed, bias: packedBias };
}
