import type { GpuData } from '../../../src/gpu/gpu';
import type { Dispatch, Slice } from '../../../src/gpu/kernel';
import { curveBackward } from '../../../src/kernels/graph/curve_backward';
import { depthwiseBackward } from '../../../src/kernels/graph/depthwise_backward';
import { factorBackward } from '../../../src/kernels/graph/factor_backward';
import { gateBackward } from '../../../src/kernels/graph/gate_backward';
import { windowConvBackward } from '../../../src/kernels/graph/window_conv_backward';
import { windowPoolBackward } from '../../../src/kernels/graph/window_pool_backward';
import type { WindowShape } from '../../../src/kernels/graph/window_shape';
import { SILU } from '../../../src/numbers/activation';
import { batchFor } from '../scale';
import { bytesOf, rawBytes, type Subject, values } from './subject';

const label = 'layer';
const group = 'backward';

/** Windows of 3x3 by 2, as where a network halves its maps. */
function halving(
  size: number,
  [inChannels, outChannels, groups]: readonly [number, number, number],
): WindowShape {
  return {
    inChannels,
    outChannels,
    groups,
    height: size,
    width: size,
    outHeight: size / 2,
    outWidth: size / 2,
    kernel: [3, 3],
    stride: [2, 2],
    before: [1, 1],
    activation: 1,
  };
}

/** The pooling of ResNet-18's stem, the first of its strided convolutions behind it, and MobileNet's first such. */
const POOL = halving(112, [64, 64, 64]);
const CONV = halving(56, [64, 128, 1]);
const DEPTHWISE = halving(112, [64, 64, 64]);

const inputSize = (shape: WindowShape): number => shape.inChannels * shape.height * shape.width;
const outputSize = (shape: WindowShape): number =>
  shape.outChannels * shape.outHeight * shape.outWidth;

interface Windows {
  readonly label: string;
  readonly shape: WindowShape;
  readonly batch: number;
  readonly gradient: Slice;
  readonly result: Slice;
}

/** Back through windows: a gradient behind them, one before them, and whatever else is read. */
function windows(
  name: string,
  shape: WindowShape,
  flop: number,
  record: (args: Windows, read: (data: GpuData) => Slice) => Dispatch,
): Subject {
  return {
    name,
    group,
    record(tensors, scale) {
      const [input, output] = [inputSize(shape), outputSize(shape)];
      const each = bytesOf(input, output);
      const batch = batchFor(scale, { flop, bytes: each, largest: bytesOf(input) });
      const gradient = tensors.upload('gradient', values(batch * output));
      const result = tensors.take('result', bytesOf(batch * input));
      let bytes = batch * each;
      const read = (data: GpuData): Slice => {
        bytes += data.byteLength;
        return tensors.upload('read', data);
      };
      const run = [record({ label, shape, batch, gradient, result }, read)];
      return { run, batch, flop: batch * flop, bytes };
    },
  };
}

const convolutions = (['f32', 'f16'] as const).flatMap((dtype): Subject[] => {
  const bytes = dtype === 'f32' ? 4 : 2;
  return [
    windows(
      `window_conv_backward_${dtype}`,
      CONV,
      2 * 9 * CONV.inChannels * outputSize(CONV),
      (args, read) => {
        const weights = read(rawBytes(9 * CONV.inChannels * CONV.outChannels * bytes));
        return windowConvBackward({ ...args, dtype, weights });
      },
    ),
    windows(`depthwise_backward_${dtype}`, DEPTHWISE, 2 * 9 * outputSize(DEPTHWISE), (args, read) =>
      // Nine taps are padded to twelve.
      depthwiseBackward({ ...args, dtype, weights: read(rawBytes(12 * 64 * bytes)) }),
    ),
  ];
});

const poolings = [
  windows('window_max_pool_backward', POOL, 0, (args, read) => {
    const input = read(values(args.batch * inputSize(POOL)));
    return windowPoolBackward({ ...args, of: 'max', countsPadding: false, input });
  }),
  windows('window_average_pool_backward', POOL, 9 * outputSize(POOL), (args) =>
    windowPoolBackward({ ...args, of: 'average', countsPadding: false }),
  ),
];

/** Of the first gates of MobileNetV3: planes, and the pixels that each gates. */
const [GATES, SHARE] = [72, 28 * 28];

/** A gradient of gated planes, another tensor that is read, and one that is written. */
function over(
  name: string,
  flop: number,
  sizes: { readonly other: number; readonly result: number },
  record: (batch: number, tensors: { other: Slice; gradient: Slice; result: Slice }) => Dispatch,
): Subject {
  const size = GATES * SHARE;
  return {
    name,
    group,
    record(tensors, scale) {
      const bytes = bytesOf(size, sizes.other, sizes.result);
      const batch = batchFor(scale, { flop: 0, bytes, largest: bytesOf(size) });
      const run = [
        record(batch, {
          other: tensors.upload('other', values(batch * sizes.other)),
          gradient: tensors.upload('gradient', values(batch * size)),
          result: tensors.take('result', bytesOf(batch * sizes.result)),
        }),
      ];
      return { run, batch, flop: batch * flop * size, bytes: batch * bytes };
    },
  };
}

const elements = [
  over(
    'curve_backward',
    10,
    { other: GATES * SHARE, result: GATES * SHARE },
    (batch, { other, ...tensors }) =>
      curveBackward({
        label,
        count: batch * GATES * SHARE,
        activation: SILU,
        before: other,
        ...tensors,
      }),
  ),
  over('factor_backward', 1, { other: GATES, result: GATES * SHARE }, (batch, tensors) =>
    factorBackward({ label, count: batch * GATES * SHARE, share: SHARE, ...tensors }),
  ),
  over('gate_backward', 2, { other: GATES * SHARE, result: GATES }, (batch, tensors) =>
    gateBackward({ label, count: batch * GATES, share: SHARE, ...tensors }),
  ),
];

export const graphBackwardSubjects: readonly Subject[] = [
  ...convolutions,
  ...poolings,
  ...elements,
];
