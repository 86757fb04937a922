import { type ConvShape, packConv } from '../../src/kernels/conv';
import { winogradConv, winogradFilters, winogradScratch } from '../../src/kernels/winograd';
import type { Gpu } from '../../src/runtime/gpu';
import type { GpuCase } from '../harness/case';
import { assertClose, testValues } from '../harness/compare';
import { convReference } from '../reference/conv';
import { winogradTolerance } from '../reference/winograd';

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

async function run(gpu: Gpu, shape: ConvShape, batch: number): Promise<string> {
  const { inChannels, outChannels, height, width } = shape;
  const input = testValues(batch * inChannels * height * width, 1);
  const weights = testValues(outChannels * inChannels * 9, 2);
  const bias = testValues(outChannels, 3);
  const expected = convReference(shape, batch, input, weights, bias);
  const scratch = winogradScratch(shape, batch);
  const output = gpu.createBuffer('output', expected.values.length * 4);
  const { bias: packedBias } = packConv(weights, bias, shape);
  const dispatches = winogradConv({
    label: 'test',
    shape,
    batch,
    input: { buffer: gpu.upload('input', input) },
    filters: { buffer: gpu.upload('filters', winogradFilters(weights, shape)) },
    bias: { buffer: gpu.upload('bias', packedBias) },
    transformed: { buffer: gpu.createBuffer('transformed', scratch.transformed) },
    product: { buffer: gpu.createBuffer('product', scratch.product) },
    output: { buffer: output },
  });
  await gpu.submit('winograd', dispatches);
  const actual = await gpu.read(output, expected.values.length);
  return assertClose(
    'output',
    actual,
    expected.values,
    winogradTolerance(shape, batch, input, weights),
  );
}

export const cases: GpuCase[] = rows.map(
  ([inChannels, outChannels, height, width, slope, pool, batch]) => ({
    name:
      `${batch} x ${inChannels} to ${outChannels} channels, ${height} x ${width}, slope ${slope}` +
      `${pool ? ', pool' : ''}`,
    run: (gpu) => {
      const shape = { inChannels, outChannels, height, width, kernel: 3, slope, pool } as const;
      return run(gpu, shape, batch);
    },
  }),
);
