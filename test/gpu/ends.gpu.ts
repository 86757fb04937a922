import { Arena } from '../../src/gpu/arena';
import type { Gpu } from '../../src/gpu/gpu';
import { packConv } from '../../src/kernels/convolution/conv';
import { type LinearTiling, linear, rowStride } from '../../src/kernels/linear/linear';
import type { ConvShape } from '../../src/kernels/shared/conv_shape';
import { IN_REGISTERS } from '../../src/kernels/winograd/winograd';
import { FUSED_4X4_INVOCATIONS } from '../../src/kernels/winograd/winograd_fused';
import { isMonotone, SILU } from '../../src/numbers/activation';
import { methodName } from '../../src/plan/candidates';
import type { ConvMethod } from '../../src/plan/conv_choice';
import { recordConv } from '../../src/runtime/record-conv';
import type { GpuCase } from '../harness/case';
import { assertClose, testValues } from '../harness/compare';
import { quadsNeedSubgroups } from '../harness/quads';
import { ACTIVATIONS, activationName, embedded, expectedIn, windowShape } from '../harness/windows';
import { pooled } from '../reference/conv';
import { windowConvReference } from '../reference/window';
import { winogradTolerance } from '../reference/winograd';

/*
 * What layers of sequential networks end with: every activation, an addition before it, and an output that is some
 * channels of a larger tensor.
 */

const METHODS: readonly ConvMethod[] = [
  { kind: 'direct', tiling: 'registers' },
  { kind: 'direct', tiling: 'workgroup' },
  { kind: 'winograd', ...IN_REGISTERS },
  { kind: 'direct', tiling: 'quads' },
  { kind: 'fused', precision: 'f32', sides: 1 },
  { kind: 'fused4x4', precision: 'f32' },
];

/** Slow to compile where it runs at all, and in every run by fused.gpu.ts. */
const isLarge = (method: ConvMethod): boolean => method.kind === 'fused4x4';

interface Trial {
  readonly shape: ConvShape;
  readonly added: boolean;
}

async function run(gpu: Gpu, method: ConvMethod, { shape, ...t }: Trial): Promise<string> {
  if (isLarge(method) && gpu.facts.maxInvocations < FUSED_4X4_INVOCATIONS) {
    return `not run: workgroups of ${gpu.facts.maxInvocations}`;
  }
  const batch = 2;
  const { inChannels, outChannels, height, width, kernel, activation } = shape;
  const padding = (kernel - 1) / 2;
  const window = windowShape({
    size: [height, width],
    channels: [inChannels, outChannels],
    kernel: [kernel, kernel],
    padding: [padding, padding, padding, padding],
    activation,
  });
  const plane = height * width;
  const input = testValues(batch * inChannels * plane, 1);
  const weights = testValues(outChannels * inChannels * kernel ** 2, 2).map((x) => 2 * x);
  const bias = testValues(outChannels, 3).map((x) => 4 * x);
  const added = t.added ? testValues(batch * outChannels * plane, 4).map((x) => 4 * x) : undefined;
  const full = windowConvReference(window, batch, input, weights, bias, added);
  if (method.kind !== 'direct') {
    const outputs = method.kind === 'fused' ? 2 : 4;
    const stored = { ...method, outputs, inOneKernel: method.kind !== 'winograd' } as const;
    const error = winogradTolerance(shape, batch, input, weights, stored);
    // Slopes are at most 1.5.
    for (const i of full.tolerance.keys())
      full.tolerance[i] = (full.tolerance[i] as number) + 1.5 * error;
  }
  const expected = shape.pool ? pooled(full, batch * outChannels, height, width) : full;
  const packed = packConv(weights, bias, shape, 'f32');
  const empty = new Float32Array(expected.values.length).fill(-123);
  const output = embedded(gpu, 'output', empty, batch, outChannels, t.added ? [2, 3] : [0, 0]);
  const arena = new Arena(gpu);
  const dispatches = recordConv(
    {
      label: 'test',
      shape,
      method,
      batch,
      dtype: 'f32',
      weights: { buffer: gpu.upload('weights', packed.weights) },
      filters: undefined,
      bias: { buffer: gpu.upload('bias', packed.bias) },
      input: { buffer: gpu.upload('input', input) },
      output: output.slice,
      view: output,
      added: added && embedded(gpu, 'added', added, batch, outChannels, [1, 2]),
    },
    arena,
  );
  await gpu.submit('convolution', dispatches);
  const whole = expectedIn(output, expected, batch, outChannels);
  return assertClose('output', await gpu.read(output.slice.buffer), whole.values, whole.tolerance);
}

/** A fully connected layer is a convolution of images of one pixel. */
async function runLinear(gpu: Gpu, tiling: LinearTiling, activation: number): Promise<string> {
  const [batch, inFeatures, outFeatures] = [3, 8, 35];
  const shape = windowShape({
    size: [1, 1],
    channels: [inFeatures, outFeatures],
    kernel: [1, 1],
    activation,
  });
  const input = testValues(batch * inFeatures, 1);
  const weights = testValues(outFeatures * inFeatures, 2).map((x) => 8 * x);
  const bias = testValues(outFeatures, 3);
  const expected = windowConvReference(shape, batch, input, weights, bias);
  if (rowStride(inFeatures) !== inFeatures) throw new Error('rows are padded');
  const affine = Float32Array.from({ length: 2 * outFeatures }, (_, i) =>
    i % 2 ? (bias[(i - 1) / 2] as number) : 1,
  );
  const output = gpu.createBuffer('output', 4 * expected.values.length);
  await gpu.submit(
    'linear',
    linear(tiling, {
      label: 'test',
      dtype: 'f32',
      inFeatures,
      outFeatures,
      firstOutput: 0,
      shardOutputs: outFeatures,
      activation,
      batch,
      input: { buffer: gpu.upload('input', input) },
      weights: { buffer: gpu.upload('weights', weights) },
      affine: { buffer: gpu.upload('affine', affine) },
      output: { buffer: output },
    }),
  );
  return assertClose('output', await gpu.read(output), expected.values, expected.tolerance);
}

// lavapipe takes long to compile them, and the networks of graphs.gpu.ts go through all of them there.
const usually = ['chrome'] as const;

/** One of each kind. */
const FEW: readonly number[] = [0.1, -6, SILU];

/**
 * In every run all activations in registers, as all kernels have the same text for them, behind an addition, and a few in the
 * others; the plain and the pooled end with a few in registers, and one pooled in the others.
 */
const usuallyWith = (
  method: ConvMethod,
  activation: number,
  end: 'plain' | 'added' | 'pooled',
): readonly 'chrome'[] => {
  const inRegisters = methodName(method) === 'direct, registers';
  const isUsual = inRegisters
    ? end === 'added' || FEW.includes(activation)
    : end !== 'plain' && (end === 'added' ? FEW : FEW.slice(0, 1)).includes(activation);
  return isUsual && !isLarge(method) ? usually : [];
};

const sizes = { inChannels: 3, outChannels: 9, height: 7, width: 15 } as const;

/** Every shape and activation is a pipeline, of kernels with barriers one that is slow to compile. */
const activationsOf = (method: ConvMethod): readonly number[] =>
  method.kind.startsWith('fused') || methodName(method).includes('workgroup')
    ? ACTIVATIONS.filter((code) => FEW.includes(code))
    : ACTIVATIONS;

const kernelOf = (method: ConvMethod): 1 | 3 => (methodName(method).includes('quads') ? 1 : 3);

export const cases: GpuCase[] = quadsNeedSubgroups([
  ...METHODS.flatMap((method) => [
    ...activationsOf(method).flatMap((activation) =>
      [false, true].map(
        (added): GpuCase => ({
          name: `${methodName(method)}: ${activationName(activation)}${added ? ', added, a view' : ''}`,
          usually: usuallyWith(method, activation, added ? 'added' : 'plain'),
          run: (gpu) =>
            run(gpu, method, {
              shape: { ...sizes, kernel: kernelOf(method), activation, pool: false },
              added,
            }),
        }),
      ),
    ),
    ...activationsOf(method)
      .filter(isMonotone)
      .map(
        (activation): GpuCase => ({
          name: `${methodName(method)}: ${activationName(activation)}, added, pooled, a view`,
          usually: usuallyWith(method, activation, 'pooled'),
          run: (gpu) =>
            run(gpu, method, {
              shape: { ...sizes, kernel: kernelOf(method), activation, pool: true },
              added: true,
            }),
        }),
      ),
  ]),
  ...(['registers', 'workgroup'] as const).flatMap((tiling) =>
    ACTIVATIONS.map(
      (activation): GpuCase => ({
        name: `linear, ${tiling}: ${activationName(activation)}`,
        usually: tiling === 'registers' || FEW.includes(activation) ? usually : [],
        run: (gpu) => runLinear(gpu, tiling, activation),
      }),
    ),
  ),
]);
