import type { Gpu } from '../../src/gpu/gpu';
import { colourMaps } from '../../src/kernels/maps/colour_maps';
import { mapRanges } from '../../src/kernels/maps/map_ranges';
import { normaliseMap } from '../../src/kernels/maps/normalise_map';
import { overlay } from '../../src/kernels/maps/overlay';
import { upsample } from '../../src/kernels/maps/upsample';
import { weightedSum } from '../../src/kernels/maps/weighted_sum';
import type { GpuCase } from '../harness/case';
import { assertClose, sumTolerance, testValues } from '../harness/compare';
import { INTERPOLATION_ERROR, normalisationTolerance } from '../harness/maps';
import { normaliseReference, rangeOf, upsampleReference } from '../reference/interpolation';
import { overlayReference } from '../reference/overlay';

export const cases: GpuCase[] = [
  sumCase(1, 1, 1),
  sumCase(3, 5, 13),
  sumCase(512, 14, 14),
  normaliseCase('one value', Float32Array.of(-3)),
  normaliseCase('all zero', new Float32Array(65)),
  normaliseCase('all equal', new Float32Array(63).fill(-0.1)),
  normaliseCase('any sign', testValues(64, 9)),
  normaliseCase(
    'huge',
    testValues(65, 9).map((value) => 1e38 * value),
  ),
  normaliseCase(
    'tiny',
    testValues(65, 9).map((value) => 1e-30 * value),
  ),
  wholeCase(),
  ...[0, 0.5, 1].map(overlayCase),
];

/** sum of weights[k] maps[k, i] over k in f64, and the sum of the absolute values of its terms. */
function weightedSumReference(maps: Float32Array, weights: Float32Array) {
  const pixels = maps.length / weights.length;
  const sum = new Float64Array(pixels);
  const magnitude = new Float64Array(pixels);
  maps.forEach((value, i) => {
    const term = value * (weights[Math.floor(i / pixels)] as number);
    sum[i % pixels] = (sum[i % pixels] as number) + term;
    magnitude[i % pixels] = (magnitude[i % pixels] as number) + Math.abs(term);
  });
  return { sum, magnitude };
}

function sumCase(count: number, mapHeight: number, mapWidth: number): GpuCase {
  return {
    name: `weighted sum of ${count} maps, ${mapHeight} x ${mapWidth}`,
    async run(gpu) {
      const maps = testValues(count * mapHeight * mapWidth, 10);
      const weights = testValues(count, 11);
      const output = gpu.createBuffer('output', 4 * mapHeight * mapWidth);
      await gpu.submit('weighted sum', [
        weightedSum({
          label: 'test',
          count,
          mapHeight,
          mapWidth,
          maps: { buffer: gpu.upload('maps', maps) },
          weights: { buffer: gpu.upload('weights', weights) },
          output: { buffer: output },
        }),
      ]);
      const { sum, magnitude } = weightedSumReference(maps, weights);
      const tolerance = magnitude.map((value) => sumTolerance(count, value));
      return assertClose('sums', await gpu.read(output), sum, tolerance);
    },
  };
}

/** Range and normalisation of a finished map of `count` values, which `input` holds. */
async function normalised(gpu: Gpu, input: GPUBuffer, count: number): Promise<Float32Array> {
  const range = { buffer: gpu.createBuffer('range', 8) };
  const output = gpu.createBuffer('normalised', 4 * count);
  await gpu.submit('normalise', [
    mapRanges({
      label: 'test',
      mapHeight: 1,
      mapWidth: count,
      height: 1,
      width: count,
      alignCorners: false,
      count: 1,
      maps: { buffer: input },
      ranges: range,
    }),
    normaliseMap({
      label: 'test',
      count,
      range,
      input: { buffer: input },
      output: { buffer: output },
    }),
  ]);
  return gpu.read(output);
}

function normaliseCase(what: string, map: ArrayLike<number>): GpuCase {
  return {
    name: `normalise, ${what}`,
    async run(gpu) {
      const values = Float32Array.from(map);
      const actual = await normalised(gpu, gpu.upload('map', values), values.length);
      const { min, max } = rangeOf(values);
      // The range of the values themselves is exact; a flat map gives exact zeros.
      const tolerance = max > min ? normalisationTolerance(0, max - min) : 0;
      return assertClose('values', actual, normaliseReference(values), tolerance);
    },
  };
}

/** Summing first and upsampling the sum gives what the definition gives, which upsamples every map. */
function wholeCase(): GpuCase {
  return {
    name: 'sum, upsampling and ReLU equal the sum of the upsampled maps',
    async run(gpu) {
      const size = { mapHeight: 5, mapWidth: 4, height: 33, width: 29, alignCorners: false };
      const count = 37;
      const maps = testValues(count * size.mapHeight * size.mapWidth, 12);
      const weights = testValues(count, 13);
      const sum = { buffer: gpu.createBuffer('sum', 4 * size.mapHeight * size.mapWidth) };
      const map = gpu.createBuffer('map', 4 * size.height * size.width);
      await gpu.submit('heat map', [
        weightedSum({
          ...size,
          label: 'test',
          count,
          maps: { buffer: gpu.upload('maps', maps) },
          weights: { buffer: gpu.upload('weights', weights) },
          output: sum,
        }),
        upsample({
          ...size,
          label: 'test',
          count: 1,
          relu: true,
          input: sum,
          output: { buffer: map },
        }),
      ]);
      const upsampled = Float32Array.from(upsampleReference(maps, size));
      const expected = weightedSumReference(upsampled, weights).sum.map((v) => Math.max(v, 0));
      const magnitude = rangeOf(weightedSumReference(maps, weights).magnitude).max;
      // The sum's error is interpolated, then the interpolation's own is added; the reference rounds
      // the upsampled maps to f32, one more rounding of every term.
      const tolerance = sumTolerance(count + 1, magnitude) + INTERPOLATION_ERROR * magnitude;
      return assertClose('heat map', await gpu.read(map), expected, tolerance);
    },
  };
}

function overlayCase(opacity: number): GpuCase {
  return {
    name: `overlay, opacity ${opacity}`,
    async run(gpu) {
      const [width, height] = [67, 31];
      const pixels = width * height;
      // Both ends, every colour, values between two colours, and values outside [0, 1].
      const map = Float32Array.from({ length: pixels }, (_, i) => i / (pixels - 20) - 0.005);
      const image = Uint32Array.from({ length: pixels }, (_, i) => Math.imul(i, 0x9e3779b1) >>> 0);
      const colours = colourMaps.turbo;
      const output = gpu.createBuffer('output', 4 * pixels);
      await gpu.submit('overlay', [
        overlay({
          label: 'test',
          width,
          height,
          map: { buffer: gpu.upload('map', map) },
          image: { buffer: gpu.upload('image', image) },
          colours: { buffer: gpu.upload('colours', colours) },
          opacity,
          output: { buffer: output },
        }),
      ]);
      const actual = new Uint8Array((await gpu.read(output)).buffer);
      const components = new Float64Array(3 * pixels);
      for (let i = 0; i < pixels; i++) {
        if (actual[4 * i + 3] !== 255) throw new Error(`alpha of pixel ${i}: ${actual[4 * i + 3]}`);
        components.set(actual.subarray(4 * i, 4 * i + 3), 3 * i);
      }
      // Half a level for rounding to 8 bits. Before it: the position among the colours rounds once, at
      // most 255 u, and neighbouring colours differ by at most 255 levels; unpacking (2 divisions of
      // 5 u), two mixes (4 roundings each) and packing (2) come to 20 u of 255 levels.
      const tolerance = 0.5 + (255 * 255 + 20 * 255) * 2 ** -24;
      const expected = overlayReference(map, image, colours, opacity);
      return assertClose('components', components, expected, tolerance);
    },
  };
}
