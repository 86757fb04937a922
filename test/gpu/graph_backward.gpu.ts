import type { Gpu, GpuData } from '../../src/gpu/gpu';
import { curveBackward } from '../../src/kernels/graph/curve_backward';
import { depthwiseBackward } from '../../src/kernels/graph/depthwise_backward';
import { factorBackward } from '../../src/kernels/graph/factor_backward';
import { gateBackward } from '../../src/kernels/graph/gate_backward';
import { isDepthwise, packWindowConv } from '../../src/kernels/graph/pack_window_conv';
import { windowConvBackward } from '../../src/kernels/graph/window_conv_backward';
import { windowPoolBackward } from '../../src/kernels/graph/window_pool_backward';
import type { WindowShape } from '../../src/kernels/graph/window_shape';
import { activationBackward } from '../../src/kernels/layers/activation_backward';
import { HARD_SIGMOID, HARD_SWISH, SIGMOID, SILU } from '../../src/numbers/activation';
import type { GpuCase } from '../harness/case';
import { assertClose, sumTolerance, testValues } from '../harness/compare';
import { windowName, windowShape } from '../harness/windows';
import {
  convBackwardReference,
  derivativeReference,
  multiplyBackwardReference,
  poolBackwardReference,
  windowsOf,
} from '../reference/graph';
import { encodeWeights } from '../reference/weights';
import { activatedReference } from '../reference/window';

/* Back through what only graphs have, kernel by kernel. */

const floats = (values: ArrayLike<number>): Float32Array<ArrayBuffer> => Float32Array.from(values);
const sliceOf = (gpu: Gpu, values: GpuData) => ({ buffer: gpu.upload('values', values) });
/** Never zero beforehand, so that what a kernel does not write shows. */
const resultOf = (gpu: Gpu, count: number) => sliceOf(gpu, new Float32Array(count).fill(77));

const poolShapes: readonly (readonly [batch: number, shape: WindowShape])[] = [
  [
    1,
    windowShape({
      size: [1, 1],
      channels: [1, 1],
      kernel: [1, 1],
      stride: [1, 1],
      padding: [0, 0, 0, 0],
    }),
  ],
  [
    1,
    windowShape({
      size: [6, 7],
      channels: [65, 65],
      kernel: [3, 3],
      stride: [2, 2],
      padding: [1, 1, 1, 1],
    }),
  ],
  [
    2,
    windowShape({
      size: [7, 5],
      channels: [3, 3],
      kernel: [3, 2],
      stride: [1, 2],
      padding: [2, 0, 1, 1],
    }),
  ],
  [
    3,
    windowShape({
      size: [9, 11],
      channels: [2, 2],
      kernel: [2, 2],
      stride: [3, 4],
      padding: [0, 1, 0, 0],
    }),
  ],
  [
    1,
    windowShape({
      size: [8, 10],
      channels: [4, 4],
      kernel: [3, 3],
      stride: [2, 2],
      padding: [0, 0, 1, 1],
    }),
  ],
  [
    1,
    windowShape({
      size: [5, 6],
      channels: [2, 2],
      kernel: [5, 6],
      stride: [1, 1],
      padding: [0, 0, 0, 0],
    }),
  ],
  [
    1,
    windowShape({
      size: [13, 17],
      channels: [1, 1],
      kernel: [11, 7],
      stride: [4, 3],
      padding: [5, 3, 5, 3],
    }),
  ],
];

const poolCases = poolShapes.flatMap(([batch, shape]) =>
  (['max', 'average', 'average, padding counted'] as const).map(
    (kind): GpuCase => ({
      name: `${kind} pool, batch ${batch}: ${windowName(shape)}`,
      async run(gpu) {
        const planes = batch * shape.inChannels;
        // A third is 0, and the others are few: equal maxima everywhere.
        const input = floats(
          testValues(planes * shape.height * shape.width, 4).map((v) =>
            Math.max(0, Math.round(3 * v)),
          ),
        );
        const gradient = floats(testValues(planes * shape.outHeight * shape.outWidth, 5));
        const result = resultOf(gpu, input.length);
        const of = kind === 'max' ? 'max' : 'average';
        const countsPadding = kind.endsWith('counted');
        await gpu.submit('pool backward', [
          windowPoolBackward({
            label: 'test',
            shape,
            batch,
            of,
            countsPadding,
            input: of === 'max' ? sliceOf(gpu, input) : undefined,
            gradient: sliceOf(gpu, gradient),
            result,
          }),
        ]);
        const pooling = { ...windowsOf(shape), of, countsPadding } as const;
        const back = (values: Float32Array) =>
          poolBackwardReference(pooling, planes, input, values);
        const magnitude = back(gradient.map(Math.abs));
        // WGSL's division is good to 2.5 ULP, which is 5 more roundings a term.
        const terms = 6 + shape.kernel[0] * shape.kernel[1];
        const tolerance = magnitude.map((value) => sumTolerance(terms, value));
        return assertClose('gradient', await gpu.read(result.buffer), back(gradient), tolerance);
      },
    }),
  ),
);

const convShapes: readonly (readonly [batch: number, shape: WindowShape])[] = [
  [1, windowShape({ size: [1, 1], channels: [1, 1], kernel: [1, 1] })],
  // A ResNet's stem, projection and strided convolution.
  [
    2,
    windowShape({
      size: [19, 22],
      channels: [3, 9],
      kernel: [7, 7],
      stride: [2, 2],
      padding: [3, 3, 3, 3],
    }),
  ],
  [1, windowShape({ size: [9, 8], channels: [13, 18], kernel: [1, 1], stride: [2, 2] })],
  [
    3,
    windowShape({
      size: [7, 10],
      channels: [6, 12],
      kernel: [3, 3],
      stride: [2, 2],
      padding: [1, 1, 1, 1],
    }),
  ],
  // TensorFlow's SAME, AlexNet's stem, pixels that no window covers between those that some do.
  [
    1,
    windowShape({
      size: [8, 6],
      channels: [4, 8],
      kernel: [3, 3],
      stride: [2, 2],
      padding: [0, 0, 1, 1],
    }),
  ],
  [
    1,
    windowShape({
      size: [31, 35],
      channels: [3, 17],
      kernel: [11, 11],
      stride: [4, 4],
      padding: [2, 2, 2, 2],
    }),
  ],
  [1, windowShape({ size: [17, 19], channels: [5, 3], kernel: [2, 1], stride: [3, 4] })],
  // What differs each way, and groups of odd sizes.
  [
    2,
    windowShape({
      size: [9, 16],
      channels: [5, 7],
      kernel: [2, 5],
      stride: [3, 1],
      padding: [1, 4, 0, 2],
    }),
  ],
  [
    2,
    windowShape({
      size: [6, 5],
      channels: [15, 21],
      kernel: [3, 3],
      padding: [1, 1, 1, 1],
      groups: 3,
    }),
  ],
  [
    1,
    windowShape({
      size: [5, 9],
      channels: [18, 4],
      kernel: [3, 2],
      stride: [1, 2],
      padding: [2, 0, 1, 1],
      groups: 2,
    }),
  ],
  // Depthwise, one output a channel or several; a scale.
  [
    2,
    windowShape({
      size: [8, 7],
      channels: [5, 5],
      kernel: [3, 3],
      stride: [2, 2],
      padding: [0, 0, 1, 1],
      groups: 5,
    }),
  ],
  [
    1,
    windowShape({
      size: [7, 9],
      channels: [3, 9],
      kernel: [5, 4],
      stride: [1, 3],
      padding: [2, 3, 2, 0],
      groups: 3,
    }),
  ],
  [3, windowShape({ size: [3, 5], channels: [67, 67], kernel: [1, 1], groups: 67 })],
];

const convCases = convShapes.flatMap(([batch, shape]) =>
  (['f32', 'f16'] as const).map(
    (dtype): GpuCase => ({
      name: `convolution, ${dtype}, batch ${batch}: ${windowName(shape)}`,
      async run(gpu) {
        const { inChannels, outChannels, groups, kernel } = shape;
        const sizes = {
          input: inChannels * shape.height * shape.width,
          output: outChannels * shape.outHeight * shape.outWidth,
        };
        const count = (outChannels * inChannels * kernel[0] * kernel[1]) / groups;
        const raw = testValues(count, 3);
        const weights = encodeWeights(raw, outChannels, dtype).values;
        const packed = packWindowConv(raw, new Float32Array(outChannels), shape, dtype);
        const gradient = floats(testValues(batch * sizes.output, 5));
        const result = resultOf(gpu, batch * sizes.input);
        const backward = isDepthwise(shape) ? depthwiseBackward : windowConvBackward;
        await gpu.submit('convolution backward', [
          backward({
            label: 'test',
            shape,
            dtype,
            batch,
            // Whole words.
            weights: sliceOf(gpu, new Uint32Array(packed.weights.buffer)),
            gradient: sliceOf(gpu, gradient),
            result,
          }),
        ]);
        const back = (values: Float32Array, by: ArrayLike<number>) =>
          Float64Array.from(
            Array.from({ length: batch }, (_, n) => [
              ...convBackwardReference(
                { ...windowsOf(shape), groups },
                inChannels,
                outChannels,
                values.subarray(n * sizes.output, (n + 1) * sizes.output),
                by,
              ),
            ]).flat(),
          );
        const terms = (outChannels / groups) * kernel[0] * kernel[1];
        const magnitude = back(gradient.map(Math.abs), weights.map(Math.abs));
        const tolerance = magnitude.map((value) => sumTolerance(terms, value));
        const expected = back(gradient, weights);
        return assertClose('gradient', await gpu.read(result.buffer), expected, tolerance);
      },
    }),
  ),
);

const productCases = (
  [
    [1, 1],
    [131, 1],
    [3, 7],
    [66, 35],
  ] as const
).map(
  ([gates, share]): GpuCase => ({
    name: `product of ${gates * share} values by ${gates}`,
    async run(gpu) {
      const count = gates * share;
      const first = floats(testValues(count, 1));
      const second = floats(testValues(gates, 2));
      const gradient = floats(testValues(count, 3));
      const [toFirst, toSecond] = [resultOf(gpu, count), resultOf(gpu, gates)];
      const both = { label: 'test', share, gradient: sliceOf(gpu, gradient) };
      await gpu.submit('product backward', [
        factorBackward({ ...both, count, other: sliceOf(gpu, second), result: toFirst }),
        gateBackward({ ...both, count: gates, other: sliceOf(gpu, first), result: toSecond }),
      ]);
      const [byFirst, bySecond] = multiplyBackwardReference(first, second, gradient);
      const [, magnitudes] = multiplyBackwardReference(
        first.map(Math.abs),
        second,
        gradient.map(Math.abs),
      );
      const tolerance = magnitudes.map((value) => sumTolerance(share, value));
      return [
        assertClose('to the first', await gpu.read(toFirst.buffer), byFirst, 2 ** -24),
        assertClose('to the second', await gpu.read(toSecond.buffer), bySecond, tolerance),
      ].join('; ');
    },
  }),
);

/** Values round every corner, and exactly at them. */
const corners = floats([
  ...testValues(131, 7).map((value) => 8 * value),
  ...[0, -0, 3, -3, 2.999999, -2.999999, 6, -6, 5.9999995, 6.0000005, 100, -100, 1e4, -1e4, 1e30],
]);

const curveCases = [
  ['hard swish', HARD_SWISH],
  ['SiLU', SILU],
  ['sigmoid', SIGMOID],
  ['hard sigmoid', HARD_SIGMOID],
] as const;

const activationCases: GpuCase[] = [
  ...curveCases.map(
    ([name, activation]): GpuCase => ({
      name: `${name}, from what went in`,
      async run(gpu) {
        const gradient = floats(testValues(corners.length, 8));
        const result = resultOf(gpu, corners.length);
        await gpu.submit('curve backward', [
          curveBackward({
            label: 'test',
            count: corners.length,
            activation,
            before: sliceOf(gpu, corners),
            gradient: sliceOf(gpu, gradient),
            result,
          }),
        ]);
        const expected = gradient.map(
          (value, i) => value * derivativeReference(corners[i] as number, activation),
        );
        // exp(x) is good to 3 + 2 |x| ULP, and exp(-x) x <= 1 / e: some 10 roundings of values up to 1.1.
        return assertClose('gradient', await gpu.read(result.buffer), expected, 20 * 2 ** -24);
      },
    }),
  ),
  ...[6, 0.75].map(
    (ceiling): GpuCase => ({
      name: `ceiling ${ceiling}, from what came out, nothing at 0 and there`,
      async run(gpu) {
        const before = floats([...corners, ceiling, ceiling * (1 - 2 ** -23)]);
        const gradient = floats(testValues(before.length, 8));
        const result = resultOf(gpu, before.length);
        const activated = before.map((x) => activatedReference(x, -ceiling));
        await gpu.submit('activation backward', [
          activationBackward({
            label: 'test',
            count: before.length,
            activation: -ceiling,
            activated: sliceOf(gpu, activated),
            gradient: sliceOf(gpu, gradient),
            result,
          }),
        ]);
        const expected = gradient.map(
          (value, i) => value * derivativeReference(before[i] as number, -ceiling),
        );
        return assertClose('gradient', await gpu.read(result.buffer), expected, 0);
      },
    }),
  ),
];

export const cases: GpuCase[] = [...convCases, ...poolCases, ...productCases, ...activationCases];
