import { convLadder, convLayer, linearLadder, linearLayer } from '../../bench/ladder/ladder';
import { Arena } from '../../src/gpu/arena';
import type { Gpu } from '../../src/gpu/gpu';
import type { ConvShape } from '../../src/kernels/convolution/conv';
import type { GpuCase } from '../harness/case';
import { assertClose, sumTolerance, testValues } from '../harness/compare';
import { quadsNeedSubgroups } from '../harness/quads';
import { convReference } from '../reference/conv';
import { linearReference } from '../reference/linear';
import { winogradTolerance } from '../reference/winograd';

/** [inChannels, outChannels, height, width, activation, batch]: off every rung's tile, the last in pixels only. */
const convolutions = [
  [1, 1, 1, 1, 0, 1],
  [3, 5, 3, 7, 0.1, 2],
  [9, 17, 15, 13, 0, 2],
  [12, 30, 15, 13, 0, 2],
] as const;

/** [inFeatures, outFeatures, activation, batch] */
const products = [
  [1, 1, 0, 1],
  [33, 65, 1, 5],
] as const;

async function runConv(
  gpu: Gpu,
  rung: (typeof convLadder)[number],
  shape: ConvShape,
  batch: number,
) {
  const { inChannels, outChannels, height, width } = shape;
  const input = testValues(batch * inChannels * height * width, 1);
  const weights = testValues(outChannels * inChannels * 9, 2);
  const bias = testValues(outChannels, 3);
  const expected = convReference(shape, batch, input, weights, bias);
  const winograd = rung.name.includes('Winograd');
  const arena = new Arena(gpu);
  const layer = convLayer(arena, shape, batch, input, weights, bias);
  gpu.write(layer.output.buffer, new Float32Array(expected.values.length).fill(Number.NaN));
  const { load, run } = rung.record(layer);
  await gpu.submit(rung.name, [...load, ...run]);
  const actual = await gpu.read(layer.output.buffer, expected.values.length);
  arena.dispose();
  // F(2x2)'s roundings are smaller than F(4x4)'s, whose bound serves for both.
  return assertClose(
    'output',
    actual,
    expected.values,
    winograd ? winogradTolerance(shape, batch, input, weights) : expected.tolerance,
  );
}

async function runLinear(
  gpu: Gpu,
  rung: (typeof linearLadder)[number],
  [inFeatures, outFeatures, activation, batch]: (typeof products)[number],
) {
  const input = testValues(batch * inFeatures, 1);
  const weights = testValues(outFeatures * inFeatures, 2);
  const bias = testValues(outFeatures, 3);
  const arena = new Arena(gpu);
  const size = { inFeatures, outFeatures, activation, batch };
  const layer = linearLayer(arena, size, input, weights, bias);
  const { load, run } = rung.record(layer);
  await gpu.submit(rung.name, [...load, ...run]);
  const actual = await gpu.read(layer.output.buffer, batch * outFeatures);
  arena.dispose();
  const ones = new Float32Array(outFeatures).fill(1);
  const exact = linearReference(input, Float64Array.from(weights), ones, bias, activation);
  const tolerance = exact.magnitude.map((magnitude) => sumTolerance(inFeatures + 1, magnitude));
  return assertClose('output', actual, exact.output, tolerance);
}

export const cases = quadsNeedSubgroups([
  ...convLadder.flatMap((rung) =>
    convolutions
      .filter(([inChannels, outChannels]) => rung.allows?.({ inChannels, outChannels }) ?? true)
      .map(([inChannels, outChannels, height, width, activation, batch]): GpuCase => {
        const shape = {
          inChannels,
          outChannels,
          height,
          width,
          kernel: 3,
          activation,
          pool: false,
        } as const;
        return {
          name: `${rung.name}: ${batch} x ${inChannels} to ${outChannels} channels, ${height} x ${width}`,
          run: (gpu) => runConv(gpu, rung, shape, batch),
        };
      }),
  ),
  ...linearLadder.flatMap((rung) =>
    products.map(
      (size): GpuCase => ({
        name: `fully connected, ${rung.name}: ${size[3]} x ${size[0]} to ${size[1]}`,
        run: (gpu) => runLinear(gpu, rung, size),
      }),
    ),
  ),
]);
