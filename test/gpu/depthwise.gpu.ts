import type { Gpu } from '../../src/gpu/gpu';
import { depthwise } from '../../src/kernels/graph/depthwise';
import { packWindowConv } from '../../src/kernels/graph/pack_window_conv';
import type { WindowShape } from '../../src/kernels/graph/window_shape';
import { NO_ACTIVATION } from '../../src/numbers/activation';
import type { ConvDtype } from '../../src/numbers/dtypes';
import type { GpuCase } from '../harness/case';
import { assertClose, testValues } from '../harness/compare';
import {
  ACTIVATIONS,
  activationName,
  embedded,
  expectedIn,
  windowName,
  windowShape,
} from '../harness/windows';
import { encodeWeights } from '../reference/weights';
import { windowConvReference } from '../reference/window';

interface Trial {
  readonly shape: WindowShape;
  readonly batch: number;
  readonly dtype: ConvDtype;
  readonly views?: boolean;
  readonly added?: boolean;
}

const one = [1, 1, 1, 1] as const;

/** Patches are 4 x 4: sizes round that; windows of 3 x 3 at stride 1 and 2, which are written out, and others. */
const trials: readonly Trial[] = [
  {
    shape: windowShape({ size: [1, 1], channels: [2, 2], kernel: [3, 3], padding: one, groups: 2 }),
    batch: 1,
    dtype: 'f32',
  },
  {
    shape: windowShape({
      size: [9, 7],
      channels: [3, 3],
      kernel: [3, 3],
      padding: one,
      groups: 3,
      activation: -6,
    }),
    batch: 2,
    dtype: 'f32',
    views: true,
  },
  {
    shape: windowShape({
      size: [4, 12],
      channels: [5, 5],
      kernel: [3, 3],
      padding: one,
      groups: 5,
    }),
    batch: 1,
    dtype: 'f16',
    added: true,
    views: true,
  },
  {
    shape: windowShape({
      size: [14, 17],
      channels: [3, 3],
      kernel: [3, 3],
      stride: [2, 2],
      padding: [0, 0, 1, 1],
      groups: 3,
    }),
    batch: 2,
    dtype: 'f32',
  },
  {
    shape: windowShape({
      size: [11, 8],
      channels: [2, 6],
      kernel: [3, 3],
      stride: [2, 2],
      padding: one,
      groups: 2,
      activation: 0.1,
    }),
    batch: 3,
    dtype: 'f16',
    views: true,
  },
  {
    shape: windowShape({
      size: [10, 13],
      channels: [3, 3],
      kernel: [5, 5],
      padding: [2, 2, 2, 2],
      groups: 3,
    }),
    batch: 2,
    dtype: 'f32',
    views: true,
  },
  {
    shape: windowShape({
      size: [10, 13],
      channels: [3, 3],
      kernel: [5, 5],
      stride: [2, 2],
      padding: [2, 2, 2, 2],
      groups: 3,
    }),
    batch: 2,
    dtype: 'f16',
    added: true,
  },
  {
    shape: windowShape({
      size: [9, 9],
      channels: [2, 4],
      kernel: [2, 7],
      stride: [3, 1],
      padding: [0, 3, 1, 3],
      groups: 2,
    }),
    batch: 1,
    dtype: 'f32',
    added: true,
  },
  {
    shape: windowShape({
      size: [13, 9],
      channels: [2, 2],
      kernel: [3, 3],
      stride: [1, 4],
      groups: 2,
      activation: NO_ACTIVATION,
    }),
    batch: 1,
    dtype: 'f32',
  },
  // A factor and a shift.
  {
    shape: windowShape({ size: [5, 6], channels: [7, 7], kernel: [1, 1], groups: 7 }),
    batch: 2,
    dtype: 'f32',
    views: true,
  },
];

async function run(gpu: Gpu, { shape, batch, dtype, views = false, ...t }: Trial): Promise<string> {
  const { inChannels, outChannels, outHeight, outWidth } = shape;
  const input = testValues(batch * inChannels * shape.height * shape.width, 1);
  const taps = shape.kernel[0] * shape.kernel[1];
  const weights = testValues(outChannels * taps, 2).map((x) => (12 * x) / Math.sqrt(taps));
  const bias = testValues(outChannels, 3).map((x) => 4 * x);
  const outputs = batch * outChannels * outHeight * outWidth;
  const added = t.added ? testValues(outputs, 4).map((x) => 4 * x) : undefined;
  const { values } = encodeWeights(weights, outChannels, dtype);
  const expected = windowConvReference(shape, batch, input, values, bias, added);
  const packed = packWindowConv(weights, bias, shape, dtype);
  const empty = new Float32Array(outputs).fill(-123);
  const output = embedded(gpu, 'output', empty, batch, outChannels, views ? [1, 3] : [0, 0]);
  await gpu.submit('depthwise', [
    depthwise({
      label: 'test',
      shape,
      dtype,
      batch,
      input: embedded(gpu, 'input', input, batch, inChannels, views ? [2, 1] : [0, 0]),
      weights: { buffer: gpu.upload('weights', packed.weights) },
      bias: { buffer: gpu.upload('bias', packed.bias) },
      output,
      added: added && embedded(gpu, 'added', added, batch, outChannels, views ? [0, 2] : [0, 0]),
    }),
  ]);
  const whole = expectedIn(output, expected, batch, outChannels);
  return assertClose('output', await gpu.read(output.slice.buffer), whole.values, whole.tolerance);
}

// lavapipe takes long to compile them, and the networks of graphs.gpu.ts go through all of them there.
const usually = ['chrome'] as const;

export const cases: GpuCase[] = [
  ...trials.map((trial): GpuCase => {
    const { shape, batch, dtype, views, added } = trial;
    return {
      name: `${dtype}: ${batch} x ${windowName(shape)}${views ? ', views' : ''}${added ? ', added' : ''}`,
      usually,
      run: (gpu) => run(gpu, trial),
    };
  }),
  ...ACTIVATIONS.map(
    (activation): GpuCase => ({
      name: activationName(activation),
      usually,
      run: (gpu) => {
        const sizes = {
          size: [6, 11],
          channels: [3, 3],
          kernel: [3, 3],
          groups: 3,
          activation,
        } as const;
        return run(gpu, { shape: windowShape(sizes), batch: 2, dtype: 'f32' });
      },
    }),
  ),
];
