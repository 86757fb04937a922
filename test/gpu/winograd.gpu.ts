import { type ConvShape, packConv } from '../../src/kernels/conv';
import type { ConvDtype } from '../../src/kernels/weight_dtype';
import {
  winogradConv,
  winogradFilterBytes,
  winogradFilters,
  winogradScratch,
} from '../../src/kernels/winograd';
import type { Gpu } from '../../src/runtime/gpu';
import type { GpuCase } from '../harness/case';
import { assertClose, testValues } from '../harness/compare';
import { convReference } from '../reference/conv';
import { encodeWeights } from '../reference/weights';
import { filtersReference, winogradTolerance } from '../reference/winograd';

/** [inChannels, outChannels, height, width, slope, pool, batch]: tiles of 4x4, 16 tiles x 8 channels. */
const rows: readonly (readonly [number, number, number, number, number, boolean, number])[] = [
  [1, 1, 1, 1, 0, false, 1],
  [3, 7, 3, 5, 0.1, false, 3],
  [5, 8, 4, 4, 1, false, 1],
  [8, 9, 5, 9, 0, true, 3],
  [9, 17, 14, 15, 0.1, true, 2],
  [16, 16, 17, 13, 0, false, 1],
  [33, 5, 28, 28, 0, true, 1],
];

/** The packed weights of a layer, the numbers they stand for, and the dispatch that transforms them. */
function layer(gpu: Gpu, shape: ConvShape, dtype: ConvDtype) {
  const { inChannels, outChannels } = shape;
  const weights = testValues(outChannels * inChannels * 9, 2);
  const bias = testValues(outChannels, 3);
  const packed = packConv(weights, bias, shape, dtype);
  const filters = { buffer: gpu.createBuffer('filters', winogradFilterBytes(shape)) };
  const transform = winogradFilters({
    label: 'test',
    shape,
    dtype,
    weights: { buffer: gpu.upload('weights', packed.weights) },
    filters,
  });
  const { values } = encodeWeights(weights, outChannels, dtype);
  return { values, bias, packedBias: packed.bias, filters, transform };
}

/** The transform alone; it writes everything, so that scratch with anything in it will do. */
async function runFilters(gpu: Gpu, shape: ConvShape, dtype: ConvDtype): Promise<string> {
  const { values, filters, transform } = layer(gpu, shape, dtype);
  const words = filters.buffer.size / 4;
  gpu.write(filters.buffer, new Float32Array(words).fill(Number.NaN));
  await gpu.submit('winograd filters', [transform]);
  const expected = filtersReference(values, shape);
  const actual = await gpu.read(filters.buffer, words);
  return assertClose('filters', actual, expected.values, expected.tolerance);
}

async function run(gpu: Gpu, shape: ConvShape, batch: number, dtype: ConvDtype): Promise<string> {
  const { inChannels, height, width } = shape;
  const input = testValues(batch * inChannels * height * width, 1);
  const { values, bias, packedBias, filters, transform } = layer(gpu, shape, dtype);
  const expected = convReference(shape, batch, input, values, bias);
  const scratch = winogradScratch(shape, batch);
  const output = gpu.createBuffer('output', expected.values.length * 4);
  const dispatches = winogradConv({
    label: 'test',
    shape,
    batch,
    input: { buffer: gpu.upload('input', input) },
    filters,
    bias: { buffer: gpu.upload('bias', packedBias) },
    transformed: { buffer: gpu.createBuffer('transformed', scratch.transformed) },
    product: { buffer: gpu.createBuffer('product', scratch.product) },
    output: { buffer: output },
  });
  await gpu.submit('winograd', [transform, ...dispatches]);
  const actual = await gpu.read(output, expected.values.length);
  return assertClose(
    'output',
    actual,
    expected.values,
    winogradTolerance(shape, batch, input, values),
  );
}

function shapeOf([inChannels, outChannels, height, width, slope, pool]: (typeof rows)[number]) {
  return { inChannels, outChannels, height, width, kernel: 3, slope, pool } as const;
}

const convolutions = (dtype: ConvDtype, some: typeof rows): GpuCase[] =>
  some.map((row) => {
    const [inChannels, outChannels, height, width, slope, pool, batch] = row;
    return {
      name:
        `${dtype}: ${batch} x ${inChannels} to ${outChannels} channels, ${height} x ${width}, ` +
        `slope ${slope}${pool ? ', pool' : ''}`,
      run: (gpu) => run(gpu, shapeOf(row), batch, dtype),
    };
  });

const transforms = (['f32', 'f16'] as const).flatMap((dtype) =>
  [0, 3, 4, 6].map((i): GpuCase => {
    const shape = shapeOf(rows[i] as (typeof rows)[number]);
    return {
      name: `filters of ${shape.inChannels} to ${shape.outChannels} channels, ${dtype}`,
      run: (gpu) => runFilters(gpu, shape, dtype),
    };
  }),
);

export const cases: GpuCase[] = [
  ...transforms,
  ...convolutions('f32', rows),
  ...convolutions('f16', rows.slice(3, 5)),
];
