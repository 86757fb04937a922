import { conv } from '../../../src/kernels/convolution/conv';
import { depthwise } from '../../../src/kernels/graph/depthwise';
import { add } from '../../../src/kernels/graph/elementwise';
import { packWindowConv } from '../../../src/kernels/graph/pack_window_conv';
import { whole } from '../../../src/kernels/graph/view';
import {
  maskedWindowConv,
  type WindowTiling,
  windowConv,
} from '../../../src/kernels/graph/window_conv';
import { windowConvNaive } from '../../../src/kernels/graph/window_conv_naive';
import { windowPool } from '../../../src/kernels/graph/window_pool';
import type { WindowShape } from '../../../src/kernels/graph/window_shape';
import type { ConvDtype } from '../../../src/numbers/dtypes';
import { batchFor, type Scale } from '../scale';
import { convFlop, convTensors } from './convolutions';
import { bytesOf, type Subject, type Tensors, values } from './subject';

/** What only networks with branches, strides and groups have. */

const SQUARE = {
  kernel: [3, 3],
  stride: [2, 2],
  before: [1, 1],
  groups: 1,
  activation: 0,
} as const;

/** A ResNet's way from 64 channels at 56x56 to 128 at 28x28, a MobileNet's first layer, and its fourth. */
const STRIDED: WindowShape = {
  ...SQUARE,
  inChannels: 64,
  outChannels: 128,
  height: 56,
  width: 56,
  outHeight: 28,
  outWidth: 28,
};
const STEM: WindowShape = {
  ...SQUARE,
  inChannels: 3,
  outChannels: 32,
  height: 224,
  width: 224,
  outHeight: 112,
  outWidth: 112,
};
const DEPTHWISE: WindowShape = {
  ...SQUARE,
  stride: [1, 1],
  inChannels: 128,
  outChannels: 128,
  groups: 128,
  height: 56,
  width: 56,
  outHeight: 56,
  outWidth: 56,
};
const POINTWISE = {
  inChannels: 128,
  outChannels: 128,
  height: 28,
  width: 28,
  kernel: 1,
  activation: 0,
  pool: false,
} as const;

const DTYPES: readonly ConvDtype[] = ['f32', 'f16'];
const TILINGS: readonly WindowTiling[] = ['registers', 'quads', 'workgroup'];
const subgroups = 'subgroups' as GPUFeatureName;

const inputs = ({ inChannels, height, width }: WindowShape): number => inChannels * height * width;
const outputs = (shape: WindowShape): number =>
  shape.outChannels * shape.outHeight * shape.outWidth;

const flopOf = (shape: WindowShape): number =>
  (2 * outputs(shape) * shape.inChannels * shape.kernel[0] * shape.kernel[1]) / shape.groups;

/** Everything of a convolution but its input; and how many images. */
function tensorsOf(
  tensors: Tensors,
  scale: Scale,
  shape: WindowShape,
  dtype: ConvDtype,
  isAdded: boolean,
) {
  const { inChannels, outChannels, kernel, groups } = shape;
  const bytes = bytesOf(inputs(shape), outputs(shape));
  const batch = batchFor(scale, { flop: flopOf(shape), bytes, largest: bytes });
  const count = (outChannels * inChannels * kernel[0] * kernel[1]) / groups;
  const packed = packWindowConv(values(count), new Float32Array(outChannels), shape, dtype);
  const added = isAdded ? tensors.upload('added', values(batch * outputs(shape))) : undefined;
  return {
    work: {
      batch,
      flop: batch * flopOf(shape),
      bytes:
        batch * bytes + packed.weights.byteLength + (added ? bytesOf(batch * outputs(shape)) : 0),
    },
    args: {
      label: 'conv',
      shape,
      dtype,
      batch,
      quads: scale.quads,
      weights: tensors.upload('weights', packed.weights),
      bias: tensors.upload('bias', packed.bias),
      output: whole(tensors.take('output', bytesOf(batch * outputs(shape))), outChannels),
      added: added && whole(added, outChannels),
    },
    input: () => whole(tensors.upload('input', values(batch * inputs(shape))), inChannels),
  };
}

const windows = TILINGS.flatMap((tiling) =>
  DTYPES.flatMap((dtype) => {
    const needs = tiling === 'quads' ? subgroups : undefined;
    const name = `window_conv_${tiling}`;
    return [
      ...[false, true].map(
        (isAdded): Subject => ({
          name: `${name}${isAdded ? '_added' : ''}_${dtype}`,
          group: 'convolution 3x3 by 2',
          needs,
          record(tensors, scale) {
            const { work, args, input } = tensorsOf(tensors, scale, STRIDED, dtype, isAdded);
            return { ...work, run: [windowConv(tiling, { ...args, input: input() })] };
          },
        }),
      ),
      {
        name: `${name}_masked_${dtype}`,
        group: 'first layer by 2, mask fused',
        needs,
        record(tensors, scale) {
          const { work, args } = tensorsOf(tensors, scale, STEM, dtype, false);
          const { batch } = args;
          const run = maskedWindowConv(tiling, {
            ...args,
            firstMask: 0,
            image: tensors.upload('image', values(inputs(STEM))),
            maps: tensors.upload('maps', values(batch * 14 * 14)),
            mapHeight: 14,
            mapWidth: 14,
            ranges: tensors.upload(
              'ranges',
              Float32Array.from({ length: 2 * batch }, (_, i) => (i % 2 ? 1 : -1)),
            ),
            channels: tensors.upload(
              'channels',
              Uint32Array.from({ length: batch }, (_, i) => i),
            ),
            alignCorners: false,
          });
          return { ...work, run: [run] };
        },
      } satisfies Subject,
    ];
  }),
);

const depthwises = DTYPES.flatMap((dtype) =>
  [false, true].map(
    (isAdded): Subject => ({
      name: `depthwise${isAdded ? '_added' : ''}_${dtype}`,
      group: 'depthwise 3x3',
      record(tensors, scale) {
        const { work, args, input } = tensorsOf(tensors, scale, DEPTHWISE, dtype, isAdded);
        return { ...work, run: [depthwise({ ...args, input: input() })] };
      },
    }),
  ),
);

const pointwises = DTYPES.flatMap((dtype) =>
  (['registers', 'quads'] as const).flatMap((tiling) =>
    [false, true].map(
      (isAdded): Subject => ({
        name: `conv_${tiling}${isAdded ? '_added' : ''}_${dtype}, 1x1`,
        group: 'convolution 1x1',
        needs: tiling === 'quads' ? subgroups : undefined,
        record(tensors, scale) {
          const { sizes } = convTensors(tensors, POINTWISE, dtype, 1);
          const bytes = sizes.input + sizes.output * (isAdded ? 2 : 1);
          const flop = convFlop(POINTWISE);
          const batch = batchFor(scale, { flop, bytes, largest: sizes.input });
          const { sizes: _, ...own } = convTensors(tensors, POINTWISE, dtype, batch);
          const slice = isAdded
            ? tensors.upload('added', values((batch * sizes.output) / 4))
            : undefined;
          const added = slice && whole(slice, POINTWISE.outChannels);
          const choice = { quads: scale.quads };
          return {
            run: [
              conv(tiling, {
                label: 'conv',
                shape: POINTWISE,
                dtype,
                batch,
                ...own,
                added,
                choice,
              }),
            ],
            batch,
            flop: batch * flop,
            bytes: batch * bytes + sizes.weights,
          };
        },
      }),
    ),
  ),
);

/** The plainest, by which others are validated. */
const naives = DTYPES.map(
  (dtype): Subject => ({
    name: `window_conv_naive_${dtype}`,
    group: 'convolution 3x3 by 2',
    record(tensors, scale) {
      const { work, args, input } = tensorsOf(tensors, scale, STRIDED, dtype, false);
      const own = { ...args, input: input().slice, output: args.output.slice, isDepthwise: false };
      return { ...work, run: [windowConvNaive(own)] };
    },
  }),
);

const POOLED = { ...SQUARE, channels: 64, height: 112, width: 112, outHeight: 56, outWidth: 56 };

const others: readonly Subject[] = [
  {
    name: 'window_pool',
    group: 'pooling',
    record(tensors) {
      const [size, result] = [64 * 112 * 112, 64 * 56 * 56];
      const run = windowPool({
        label: 'pool',
        of: 'max',
        shape: POOLED,
        countsPadding: false,
        batch: 1,
        input: whole(tensors.upload('input', values(size)), 64),
        output: whole(tensors.take('output', bytesOf(result)), 64),
      });
      return { run: [run], batch: 1, flop: 9 * result, bytes: bytesOf(size, result) };
    },
  },
  {
    name: 'elementwise',
    group: 'sums',
    record(tensors) {
      const size = 128 * 56 * 56;
      const tensor = () => whole(tensors.upload('tensor', values(size)), 128);
      const output = whole(tensors.take('output', bytesOf(size)), 128);
      const sizes = { channels: 128, plane: 56 * 56, batch: 1, activation: 0 } as const;
      const run = add({ label: 'add', ...sizes, a: tensor(), b: tensor(), output });
      return { run: [run], batch: 1, flop: 2 * size, bytes: bytesOf(3 * size) };
    },
  },
];

export const graphSubjects: readonly Subject[] = [
  ...windows,
  ...naives,
  ...depthwises,
  ...pointwises,
  ...others,
];
