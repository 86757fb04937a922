import type { Gpu, GpuData } from '../../src/gpu/gpu';
import { curveBackward } from '../../src/kernels/graph/curve_backward';
import { multiplyBackward } from '../../src/kernels/graph/multiply_backward';
import { windowPoolBackward } from '../../src/kernels/graph/window_pool_backward';
import type { WindowShape } from '../../src/kernels/graph/window_shape';
import { activationBackward } from '../../src/kernels/layers/activation_backward';
import { HARD_SIGMOID, HARD_SWISH, SIGMOID, SILU } from '../../src/numbers/activation';
import type { GpuCase } from '../harness/case';
import { assertClose, sumTolerance, testValues } from '../harness/compare';
import {
  activatedReference,
  derivativeReference,
  multiplyBackwardReference,
  poolBackwardReference,
  windowsOf,
} from '../reference/graph';

/* Back through what only graphs have, kernel by kernel. */

const floats = (values: ArrayLike<number>): Float32Array<ArrayBuffer> => Float32Array.from(values);
const sliceOf = (gpu: Gpu, values: GpuData) => ({ buffer: gpu.upload('values', values) });
/** Never zero beforehand, so that what a kernel does not write shows. */
const resultOf = (gpu: Gpu, count: number) => sliceOf(gpu, new Float32Array(count).fill(77));

type Pair = readonly [number, number];

/** As many windows as fit with so much padding before and behind. */
function shapeOf(
  [inChannels, outChannels, groups]: readonly [number, number, number],
  [height, width]: Pair,
  kernel: Pair,
  stride: Pair,
  [top, left, bottom, right]: readonly [number, number, number, number],
): WindowShape {
  return {
    inChannels,
    outChannels,
    groups,
    height,
    width,
    outHeight: Math.floor((height + top + bottom - kernel[0]) / stride[0]) + 1,
    outWidth: Math.floor((width + left + right - kernel[1]) / stride[1]) + 1,
    kernel,
    stride,
    before: [top, left],
    activation: 1,
  };
}

const said = ({ inChannels, outChannels, groups, ...shape }: WindowShape): string =>
  `${inChannels} -> ${outChannels} of ${shape.height} x ${shape.width}, groups ${groups}, ` +
  `${shape.kernel.join(' x ')} by ${shape.stride.join(', ')}, ` +
  `before ${shape.before.join(', ')}, out ${shape.outHeight} x ${shape.outWidth}`;

const poolShapes: readonly (readonly [batch: number, shape: WindowShape])[] = [
  [1, shapeOf([1, 1, 1], [1, 1], [1, 1], [1, 1], [0, 0, 0, 0])],
  [1, shapeOf([65, 65, 65], [6, 7], [3, 3], [2, 2], [1, 1, 1, 1])],
  [2, shapeOf([3, 3, 3], [7, 5], [3, 2], [1, 2], [2, 0, 1, 1])],
  [3, shapeOf([2, 2, 2], [9, 11], [2, 2], [3, 4], [0, 1, 0, 0])],
  [1, shapeOf([4, 4, 4], [8, 10], [3, 3], [2, 2], [0, 0, 1, 1])],
  [1, shapeOf([2, 2, 2], [5, 6], [5, 6], [1, 1], [0, 0, 0, 0])],
  [1, shapeOf([1, 1, 1], [13, 17], [11, 7], [4, 3], [5, 3, 5, 3])],
];

const poolCases = poolShapes.flatMap(([batch, shape]) =>
  (['max', 'average', 'average, padding counted'] as const).map(
    (kind): GpuCase => ({
      name: `${kind} pool, batch ${batch}: ${said(shape)}`,
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
      await gpu.submit(
        'product backward',
        multiplyBackward({
          label: 'test',
          count,
          share,
          first: sliceOf(gpu, first),
          second: sliceOf(gpu, second),
          gradient: sliceOf(gpu, gradient),
          toFirst,
          toSecond,
        }),
      );
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

export const cases: GpuCase[] = [...poolCases, ...productCases, ...activationCases];
