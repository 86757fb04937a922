import type { Gpu } from '../../src/gpu/gpu';
import { packWindowConv } from '../../src/kernels/graph/pack_window_conv';
import {
  maskedWindowConv,
  type WindowTiling,
  windowConv,
} from '../../src/kernels/graph/window_conv';
import type { WindowShape } from '../../src/kernels/graph/window_shape';
import { NO_ACTIVATION, SILU } from '../../src/numbers/activation';
import type { ConvDtype } from '../../src/numbers/dtypes';
import type { GpuCase } from '../harness/case';
import { assertClose, testValues } from '../harness/compare';
import { quadsNeedSubgroups } from '../harness/quads';
import {
  ACTIVATIONS,
  activationName,
  embedded,
  expectedIn,
  windowName,
  windowShape,
} from '../harness/windows';
import { maskError, maskReference, rangesReference } from '../reference/conv';
import { encodeWeights } from '../reference/weights';
import { windowConvReference } from '../reference/window';

/** Every tiling covers outputs in another way: 8 channels by 16 outputs, and tiles. */
const TILINGS = ['registers', 'quads', 'workgroup'] as const satisfies readonly WindowTiling[];

interface Trial {
  readonly shape: WindowShape;
  readonly batch: number;
  /** Channels of the tensors round input, output and what is added: before, behind. */
  readonly views?: boolean;
  readonly added?: boolean;
}

const trials: readonly Trial[] = [
  { shape: windowShape({ size: [1, 1], channels: [1, 1], kernel: [1, 1] }), batch: 1 },
  // The stem of a ResNet, of a MobileNet by TensorFlow's SAME, of AlexNet.
  {
    shape: windowShape({
      size: [19, 23],
      channels: [3, 9],
      kernel: [7, 7],
      stride: [2, 2],
      padding: [3, 3, 3, 3],
    }),
    batch: 2,
  },
  {
    shape: windowShape({
      size: [14, 18],
      channels: [3, 8],
      kernel: [3, 3],
      stride: [2, 2],
      padding: [0, 0, 1, 1],
      activation: -6,
    }),
    batch: 3,
  },
  {
    shape: windowShape({
      size: [31, 35],
      channels: [3, 17],
      kernel: [11, 11],
      stride: [4, 4],
      padding: [2, 2, 2, 2],
    }),
    batch: 1,
  },
  // Kernels and strides that differ by axis, a padding that no output needs whole.
  {
    shape: windowShape({
      size: [9, 16],
      channels: [5, 7],
      kernel: [2, 5],
      stride: [3, 1],
      padding: [1, 4, 0, 2],
      activation: 0.1,
    }),
    batch: 3,
  },
  {
    shape: windowShape({
      size: [13, 7],
      channels: [4, 33],
      kernel: [1, 1],
      stride: [2, 2],
      activation: NO_ACTIVATION,
    }),
    batch: 2,
    added: true,
  },
  {
    shape: windowShape({ size: [7, 7], channels: [6, 40], kernel: [3, 3], padding: [1, 1, 1, 1] }),
    batch: 5,
    views: true,
    added: true,
  },
  {
    shape: windowShape({
      size: [10, 5],
      channels: [8, 65],
      kernel: [3, 1],
      stride: [1, 2],
      padding: [1, 0, 1, 0],
    }),
    batch: 2,
    views: true,
  },
  // Groups, of as many outputs as a block and of others.
  {
    shape: windowShape({
      size: [8, 9],
      channels: [6, 9],
      kernel: [3, 3],
      padding: [1, 1, 1, 1],
      groups: 3,
    }),
    batch: 2,
    views: true,
    added: true,
  },
  {
    shape: windowShape({
      size: [5, 5],
      channels: [10, 16],
      kernel: [1, 1],
      groups: 2,
      activation: -6,
    }),
    batch: 1,
  },
];

async function run(
  gpu: Gpu,
  tiling: WindowTiling,
  dtype: ConvDtype,
  trial: Trial,
): Promise<string> {
  const { shape, batch, views = false } = trial;
  const { inChannels, outChannels, outHeight, outWidth } = shape;
  const input = testValues(batch * inChannels * shape.height * shape.width, 1);
  const depth = (inChannels / shape.groups) * shape.kernel[0] * shape.kernel[1];
  // Sums from -20 to 20, so that every piece of an activation has some.
  const weights = testValues(outChannels * depth, 2).map((x) => (16 * x) / Math.sqrt(depth));
  const bias = testValues(outChannels, 3).map((x) => 4 * x);
  const outputs = outChannels * outHeight * outWidth;
  const added = trial.added ? testValues(batch * outputs, 4).map((x) => 4 * x) : undefined;
  const { values } = encodeWeights(weights, outChannels, dtype);
  const expected = windowConvReference(shape, batch, input, values, bias, added);
  const packed = packWindowConv(weights, bias, shape, dtype);
  const round = views ? ([2, 3] as const) : ([0, 0] as const);
  const output = embedded(
    gpu,
    'output',
    new Float32Array(batch * outputs).fill(-123),
    batch,
    outChannels,
    round,
  );
  await gpu.submit('window conv', [
    windowConv(tiling, {
      label: 'test',
      shape,
      dtype,
      batch,
      input: embedded(gpu, 'input', input, batch, inChannels, round),
      weights: { buffer: gpu.upload('weights', packed.weights) },
      bias: { buffer: gpu.upload('bias', packed.bias) },
      output,
      added: added && embedded(gpu, 'added', added, batch, outChannels, views ? [1, 0] : [0, 0]),
    }),
  ]);
  const whole = expectedIn(output, expected, batch, outChannels);
  return assertClose('output', await gpu.read(output.slice.buffer), whole.values, whole.tolerance);
}

interface MaskedTrial {
  readonly shape: WindowShape;
  readonly map: readonly [height: number, width: number];
  readonly alignCorners: boolean;
  readonly channels: readonly number[];
  readonly firstMask: number;
}

const MAPS = 5;

const maskedTrials: readonly MaskedTrial[] = [
  {
    shape: windowShape({
      size: [28, 28],
      channels: [3, 8],
      kernel: [3, 3],
      stride: [2, 2],
      padding: [0, 0, 1, 1],
    }),
    map: [7, 7],
    alignCorners: false,
    channels: [4, 0, 3],
    firstMask: 1,
  },
  {
    shape: windowShape({
      size: [23, 30],
      channels: [3, 18],
      kernel: [7, 7],
      stride: [2, 2],
      padding: [3, 3, 3, 3],
      activation: SILU,
    }),
    map: [5, 2],
    alignCorners: true,
    channels: [2, 2, 1, 0],
    firstMask: 0,
  },
  // A map larger than the image; one of a single value; more input channels than a round, and groups.
  {
    shape: windowShape({
      size: [6, 9],
      channels: [5, 17],
      kernel: [2, 3],
      padding: [1, 1, 0, 1],
      activation: NO_ACTIVATION,
    }),
    map: [11, 30],
    alignCorners: false,
    channels: [0, 2],
    firstMask: 0,
  },
  {
    shape: windowShape({
      size: [5, 13],
      channels: [3, 6],
      kernel: [1, 1],
      groups: 3,
      activation: 0.1,
    }),
    map: [1, 1],
    alignCorners: false,
    channels: [3, 2],
    firstMask: 0,
  },
];

async function runMasked(
  gpu: Gpu,
  tiling: WindowTiling,
  dtype: ConvDtype,
  t: MaskedTrial,
): Promise<string> {
  const { shape, channels, firstMask, alignCorners } = t;
  const { inChannels, outChannels } = shape;
  const [mapHeight, mapWidth] = t.map;
  const spec = { ...shape, mapHeight, mapWidth, alignCorners };
  const size = shape.height * shape.width;
  const image = testValues(inChannels * size, 1);
  const maps = testValues(MAPS * mapHeight * mapWidth, 2);
  // A constant map, whose mask is zero.
  maps.fill(0.25, 0, mapHeight * mapWidth);
  const ranges = rangesReference(maps, MAPS, spec);
  const weights = testValues(
    outChannels * (inChannels / shape.groups) * shape.kernel[0] * shape.kernel[1],
    3,
  );
  const bias = testValues(outChannels, 4);
  const { values } = encodeWeights(weights, outChannels, dtype);
  const masks = channels.slice(firstMask);
  const masked = new Float64Array(masks.length * image.length);
  const errors = new Float64Array(masked.length);
  masks.forEach((k, m) => {
    const mask = maskReference(maps, ranges, k, spec);
    const error = maskError(maps, ranges, k, spec);
    image.forEach((value, i) => {
      masked[m * image.length + i] = value * (mask[i % size] as number);
      errors[m * image.length + i] = Math.abs(value) * error;
    });
  });
  const expected = windowConvReference(
    shape,
    masks.length,
    masked,
    values,
    bias,
    undefined,
    errors,
  );
  const packed = packWindowConv(weights, bias, shape, dtype, true);
  const output = embedded(
    gpu,
    'output',
    new Float32Array(expected.values.length).fill(-123),
    masks.length,
    outChannels,
    [1, 2],
  );
  await gpu.submit('masked window conv', [
    maskedWindowConv(tiling, {
      label: 'test',
      shape,
      dtype,
      batch: masks.length,
      firstMask,
      image: { buffer: gpu.upload('image', image) },
      maps: { buffer: gpu.upload('maps', maps) },
      mapHeight,
      mapWidth,
      ranges: { buffer: gpu.upload('ranges', ranges) },
      channels: { buffer: gpu.upload('channels', Uint32Array.from(channels)) },
      alignCorners,
      weights: { buffer: gpu.upload('weights', packed.weights) },
      bias: { buffer: gpu.upload('bias', packed.bias) },
      output,
    }),
  ]);
  const whole = expectedIn(output, expected, masks.length, outChannels);
  return assertClose('output', await gpu.read(output.slice.buffer), whole.values, whole.tolerance);
}

const nameOf = (
  tiling: WindowTiling,
  dtype: ConvDtype,
  { shape, batch, views, added }: Trial,
): string =>
  `${tiling}, ${dtype}: ${batch} x ${windowName(shape)}${views ? ', views' : ''}${added ? ', added' : ''}`;

// lavapipe takes long to compile them, and the networks of graphs.gpu.ts go through all of them there.
const usually = ['chrome'] as const;

const all = TILINGS.flatMap((tiling): GpuCase[] => [
  ...trials.map(
    (trial): GpuCase => ({
      name: nameOf(tiling, 'f32', trial),
      usually,
      run: (gpu) => run(gpu, tiling, 'f32', trial),
    }),
  ),
  ...[1, 6, 8].map((i): GpuCase => {
    const trial = trials[i] as Trial;
    return {
      name: nameOf(tiling, 'f16', trial),
      usually,
      run: (gpu) => run(gpu, tiling, 'f16', trial),
    };
  }),
  ...ACTIVATIONS.map(
    (activation, i): GpuCase => ({
      name: `${tiling}: ${activationName(activation)}`,
      // A pipeline each, of workgroups one that is slow to compile.
      usually: tiling === 'workgroup' && i % 3 > 0 ? [] : usually,
      run: (gpu) => {
        const shape = windowShape({ size: [6, 11], channels: [3, 5], kernel: [2, 2], activation });
        return run(gpu, tiling, 'f32', { shape, batch: 2, added: true });
      },
    }),
  ),
  ...maskedTrials.map(
    (trial, i): GpuCase => ({
      name: `${tiling}, masked: ${windowName(trial.shape)}, maps ${trial.map.join(' x ')}`,
      usually,
      run: (gpu) => runMasked(gpu, tiling, i % 2 ? 'f16' : 'f32', trial),
    }),
  ),
]);

export const cases: GpuCase[] = quadsNeedSubgroups(all);
