import type { Gpu } from '../../src/gpu/gpu';
import type { View } from '../../src/kernels/graph/view';
import type { WindowShape } from '../../src/kernels/graph/window_shape';
import {
  HARD_SIGMOID,
  HARD_SWISH,
  NO_ACTIVATION,
  RELU,
  SIGMOID,
  SILU,
} from '../../src/numbers/activation';
import type { Bounded } from '../reference/conv';

/** Windows over tensors of which others are part: shapes, names, and tensors among other channels. */

interface WindowSizes {
  readonly size: readonly [height: number, width: number];
  readonly channels: readonly [input: number, output: number];
  readonly kernel: readonly [number, number];
  readonly stride?: readonly [number, number];
  /** Default: none. */
  readonly padding?: readonly [top: number, left: number, bottom: number, right: number];
  readonly groups?: number;
  /** Default: ReLU. */
  readonly activation?: number;
}

export function windowShape(sizes: WindowSizes): WindowShape {
  const { kernel, stride = [1, 1], padding = [0, 0, 0, 0], groups = 1, activation = RELU } = sizes;
  const [[height, width], [inChannels, outChannels]] = [sizes.size, sizes.channels];
  const [top, left, bottom, right] = padding;
  return {
    inChannels,
    outChannels,
    height,
    width,
    outHeight: Math.floor((height + top + bottom - kernel[0]) / stride[0]) + 1,
    outWidth: Math.floor((width + left + right - kernel[1]) / stride[1]) + 1,
    kernel,
    stride,
    before: [top, left],
    groups,
    activation,
  };
}

const NAMES = new Map([
  [RELU, 'relu'],
  [NO_ACTIVATION, 'linear'],
  [HARD_SWISH, 'hard swish'],
  [SILU, 'silu'],
  [SIGMOID, 'sigmoid'],
  [HARD_SIGMOID, 'hard sigmoid'],
]);

/** One of every kind. */
export const ACTIVATIONS = [RELU, 0.1, NO_ACTIVATION, -6, HARD_SWISH, SILU, SIGMOID, HARD_SIGMOID];

export const activationName = (code: number): string =>
  NAMES.get(code) ?? (code > 0 ? `leaky ${code}` : `relu${-code}`);

export function windowName(shape: WindowShape): string {
  const { inChannels, outChannels, height, width, kernel, stride, before, groups } = shape;
  return (
    `${inChannels} to ${outChannels} channels, ${height} x ${width}, kernel ${kernel.join(' x ')}, stride ${stride}, ` +
    `before ${before}${groups > 1 ? `, groups ${groups}` : ''}, ${activationName(shape.activation)}`
  );
}

/** What stands in the channels that are not the view's: a number that no kernel gives. */
const OTHERS = 77;

/** A tensor [batch, channels, ...] with so many channels of others before and behind it. */
export function embedded(
  gpu: Gpu,
  label: string,
  values: Float32Array,
  batch: number,
  channels: number,
  [before, behind]: readonly [number, number],
): View & { readonly slice: { readonly buffer: GPUBuffer } } {
  const of = before + channels + behind;
  const all = within({ first: before, of }, values, batch, channels, OTHERS);
  return { slice: { buffer: gpu.upload(label, Float32Array.from(all)) }, first: before, of };
}

/** What a buffer holds when a kernel has written a view of it and nothing else. */
export function expectedIn(
  view: Pick<View, 'first' | 'of'>,
  { values, tolerance }: Bounded,
  batch: number,
  channels: number,
): Bounded {
  return {
    values: within(view, values, batch, channels, OTHERS),
    tolerance: within(view, tolerance, batch, channels, 0),
  };
}

function within(
  { first, of }: Pick<View, 'first' | 'of'>,
  values: ArrayLike<number>,
  batch: number,
  channels: number,
  others: number,
): Float64Array {
  const plane = values.length / (batch * channels);
  return new Float64Array(batch * of * plane).map((_, i) => {
    const image = Math.floor(i / (of * plane));
    const channel = (Math.floor(i / plane) % of) - first;
    const own = channel >= 0 && channel < channels;
    return own ? (values[(image * channels + channel) * plane + (i % plane)] as number) : others;
  });
}
