import { type AnyMaskedTiling, anyConv, anyMaskedConv } from '../../bench/ladder/naive';
import type { Gpu } from '../../src/gpu/gpu';
import {
  type ConvShape,
  type MaskedTiling,
  maskedTile,
  packConv,
} from '../../src/kernels/convolution/conv';
import { outputSize } from '../../src/kernels/convolution/conv_kernel';
import type { Places } from '../../src/kernels/shared/places';
import { tileGrid } from '../../src/kernels/shared/tile_grid';
import type { ConvDtype } from '../../src/numbers/dtypes';
import type { GpuCase } from '../harness/case';
import { assertClose, testValues } from '../harness/compare';
import { convReference, maskError, maskReference, rangesReference } from '../reference/conv';
import { encodeWeights } from '../reference/weights';

interface Trial extends ConvShape {
  readonly dtype: ConvDtype;
  readonly mapHeight: number;
  readonly mapWidth: number;
  readonly alignCorners: boolean;
  /** Map index of each mask; the batch is what follows `firstMask`. */
  readonly channels: readonly number[];
  readonly firstMask: number;
}

const MAPS = 5;

/** [inChannels, outChannels, height, width, kernel, activation, pool], map size, align corners, channels, first */
type Row = readonly [
  shape: readonly [number, number, number, number, 1 | 3, number, boolean],
  map: readonly [number, number],
  alignCorners: boolean,
  channels: readonly number[],
  firstMask: number,
];

const common: readonly Row[] = [
  [[3, 8, 28, 28, 3, 0, false], [14, 14], false, [4, 0, 3], 1],
  [[3, 5, 56, 56, 3, 0.1, true], [14, 14], true, [2], 0],
  [[1, 9, 9, 15, 3, 1, true], [7, 5], false, [1, 1, 4, 2], 1],
  [[5, 17, 5, 13, 1, 0.1, false], [1, 1], false, [3, 2], 0],
  [[3, 3, 1, 1, 3, 1, false], [7, 5], true, [0, 4], 0],
];

const rows: Record<AnyMaskedTiling, readonly Row[]> = {
  naive: common,
  registers: [
    ...common,
    // The window spans 3 map columns; and a map larger than the image.
    [[3, 8, 32, 113, 3, 0, false], [2, 7], false, [3, 1], 0],
    [[2, 7, 6, 9, 3, 0, true], [11, 30], false, [0, 2], 0],
  ],
  // Few, because SwiftShader compiles kernels with barriers slowly.
  workgroup: common.slice(1, 4),
};

/**
 * Of the tiling `workgroup`: every tile, more channels than a workgroup holds, and sizes that no tile divides. lavapipe takes
 * seconds to compile each: all of them run everywhere, these two with f32 in each test run.
 */
const USUAL = 2;
const tiles: readonly Row[] = [
  [[3, 70, 10, 18, 3, 0, false], [5, 6], false, [2, 0], 0],
  [[4, 40, 19, 33, 3, 0, true], [5, 6], true, [4, 3], 1],
  [[3, 64, 16, 32, 3, 0.2, false], [4, 4], false, [1, 3], 0],
  [[3, 24, 17, 16, 3, 0, false], [3, 9], false, [1], 0],
  [[2, 12, 35, 37, 3, 0, false], [7, 7], false, [0, 1], 0],
];

/** Of rows, those that run with f16 weights too, which differ in nothing but how weights are read. */
const halves: Record<AnyMaskedTiling, readonly number[]> = {
  naive: [2],
  registers: [1, 3],
  workgroup: [0, 2],
};

function trialOf(
  [shape, map, alignCorners, channels, firstMask]: Row,
  dtype: ConvDtype = 'f32',
): Trial {
  const [inChannels, outChannels, height, width, kernel, activation, pool] = shape;
  const [mapHeight, mapWidth] = map;
  const sizes = { inChannels, outChannels, height, width, kernel, activation, pool };
  return { ...sizes, dtype, mapHeight, mapWidth, alignCorners, channels, firstMask };
}

function name(tiling: AnyMaskedTiling, t: Trial): string {
  return (
    `${tiling}, ${t.dtype}: ${t.inChannels} to ${t.outChannels} channels, maps ${t.mapHeight} x ${t.mapWidth} on ` +
    `${t.height} x ${t.width}, kernel ${t.kernel}, activation ${t.activation}${t.pool ? ', pool' : ''}` +
    `${t.alignCorners ? ', align corners' : ''}, channels ${t.channels} from ${t.firstMask}`
  );
}

/** Image, maps, packed weights, and the masked images that the kernel never makes. */
function dataOf(t: Trial) {
  const size = t.height * t.width;
  const image = testValues(t.inChannels * size, 1);
  const maps = testValues(MAPS * t.mapHeight * t.mapWidth, 2);
  const ranges = rangesReference(maps, MAPS, t);
  const weights = testValues(t.outChannels * t.inChannels * t.kernel * t.kernel, 3);
  const { values } = encodeWeights(weights, t.outChannels, t.dtype);
  const bias = testValues(t.outChannels, 4);
  const masks = t.channels.slice(t.firstMask);
  const masked = new Float64Array(masks.length * image.length);
  const errors = new Float64Array(masked.length);
  masks.forEach((k, m) => {
    const mask = maskReference(maps, ranges, k, t);
    const error = maskError(maps, ranges, k, t);
    image.forEach((value, i) => {
      masked[m * image.length + i] = value * (mask[i % size] as number);
      errors[m * image.length + i] = Math.abs(value) * error;
    });
  });
  const expected = convReference(t, masks.length, masked, values, bias, errors);
  const packed = packConv(weights, bias, t, t.dtype);
  return { image, maps, ranges, batch: masks.length, masked, packed, expected };
}

function fused(
  gpu: Gpu,
  tiling: AnyMaskedTiling,
  t: Trial,
  data: ReturnType<typeof dataOf>,
  places?: Places,
) {
  const output = gpu.createBuffer('output', data.expected.values.length * 4);
  const dispatch = anyMaskedConv(tiling, {
    label: 'test',
    shape: t,
    dtype: t.dtype,
    batch: data.batch,
    firstMask: t.firstMask,
    image: { buffer: gpu.upload('image', data.image) },
    maps: { buffer: gpu.upload('maps', data.maps) },
    mapHeight: t.mapHeight,
    mapWidth: t.mapWidth,
    ranges: { buffer: gpu.upload('ranges', data.ranges) },
    channels: { buffer: gpu.upload('channels', Uint32Array.from(t.channels)) },
    weights: { buffer: gpu.upload('weights', data.packed.weights) },
    bias: { buffer: gpu.upload('bias', data.packed.bias) },
    output: { buffer: output },
    alignCorners: t.alignCorners,
    places,
  });
  return { dispatch, output };
}

async function againstReference(gpu: Gpu, tiling: AnyMaskedTiling, t: Trial): Promise<string> {
  const data = dataOf(t);
  const { dispatch, output } = fused(gpu, tiling, t, data);
  await gpu.submit('masked conv', [dispatch]);
  const actual = await gpu.read(output, data.expected.values.length);
  return assertClose('output', actual, data.expected.values, data.expected.tolerance);
}

/** The masked images made on the CPU and convolved by the plain kernel of the same tiling. */
async function againstUnfused(gpu: Gpu, tiling: AnyMaskedTiling, t: Trial): Promise<string> {
  const data = dataOf(t);
  const { dispatch, output } = fused(gpu, tiling, t, data);
  const unfused = gpu.createBuffer('unfused', data.expected.values.length * 4);
  await gpu.submit('masked conv', [
    dispatch,
    anyConv(tiling, {
      label: 'unfused',
      shape: t,
      dtype: t.dtype,
      batch: data.batch,
      input: { buffer: gpu.upload('masked images', Float32Array.from(data.masked)) },
      weights: { buffer: gpu.upload('weights', data.packed.weights) },
      bias: { buffer: gpu.upload('bias', data.packed.bias) },
      output: { buffer: unfused },
    }),
  ]);
  const count = data.expected.values.length;
  const [a, b] = [await gpu.read(output, count), await gpu.read(unfused, count)];
  // Each of the two may be off by the tolerance.
  return assertClose(
    'fused against unfused',
    a,
    b,
    data.expected.tolerance.map((x) => 2 * x),
  );
}

/** A constant map has no range: its mask is zero, never NaN, and the output is the activated bias. */
async function constantMap(gpu: Gpu, tiling: AnyMaskedTiling, t: Trial): Promise<string> {
  const data = dataOf(t);
  const constant = { ...data, ranges: data.ranges.fill(1), maps: data.maps.fill(1) };
  const { dispatch, output } = fused(gpu, tiling, t, constant);
  await gpu.submit('masked conv', [dispatch]);
  const plane = data.expected.values.length / data.batch / t.outChannels;
  const expected = data.expected.values.map((_, i) => {
    const bias = data.packed.bias[Math.floor(i / plane) % t.outChannels] as number;
    return Math.max(bias, 0) + t.activation * Math.min(bias, 0);
  });
  const actual = await gpu.read(output, expected.length);
  return assertClose('activated bias', actual, expected, 2 ** -23);
}

/** Listed patches are what they are among all, bit for bit, and the rest of the output is left alone. */
async function listedPatches(gpu: Gpu, tiling: MaskedTiling, t: Trial): Promise<string> {
  const data = dataOf(t);
  const { down, across } = tileGrid(t, maskedTile(tiling, t));
  const tiles = down * across;
  const chosen = Array.from({ length: data.batch * tiles }, (_, i) => i).filter((i) => i % 3 === 1);
  const list = gpu.upload('places', Uint32Array.from(chosen));
  const all = fused(gpu, tiling, t, data);
  const some = fused(gpu, tiling, t, data, { list: { buffer: list }, count: chosen.length });
  const count = data.expected.values.length;
  const untouched = new Float32Array(count).fill(-123);
  gpu.write(some.output, untouched);
  await gpu.submit('masked conv', [all.dispatch, some.dispatch]);
  const [a, b] = [await gpu.read(all.output, count), await gpu.read(some.output, count)];
  const { height, width } = outputSize(t);
  const scale = t.pool ? 2 : 1;
  const tile = maskedTile(tiling, t);
  const own = new Set(chosen);
  const wrong = [...b.keys()].filter((i) => {
    const n = Math.floor(i / (height * width * t.outChannels));
    const y = Math.floor(((Math.floor(i / width) % height) * scale) / tile.height);
    const x = Math.floor(((i % width) * scale) / tile.width);
    return b[i] !== (own.has(n * tiles + y * across + x) ? a[i] : -123);
  });
  if (wrong.length > 0) {
    throw new Error(`${wrong.length} of ${count} values, the first at ${wrong[0]}`);
  }
  return `${chosen.length} of ${data.batch * tiles} patches`;
}

const perTiling = (Object.keys(rows) as AnyMaskedTiling[]).flatMap((tiling): GpuCase[] => {
  const trials = [
    ...rows[tiling].map((row) => trialOf(row)),
    ...halves[tiling].map((i) => trialOf(rows[tiling][i] as Row, 'f16')),
  ];
  const first = trials[0] as Trial;
  return [
    ...trials.map((trial) => ({
      name: name(tiling, trial),
      run: (gpu: Gpu) => againstReference(gpu, tiling, trial),
    })),
    {
      name: `${tiling}: a constant map gives no NaN`,
      run: (gpu: Gpu) => constantMap(gpu, tiling, first),
    },
  ];
});

export const cases: GpuCase[] = [
  ...perTiling,
  ...tiles.flatMap((row, i) =>
    (['f32', 'f16'] as const).map((dtype): GpuCase => {
      const trial = trialOf(row, dtype);
      return {
        name: name('workgroup', trial),
        usually: i < USUAL && dtype === 'f32' ? ['chrome'] : [],
        run: (gpu) => againstReference(gpu, 'workgroup', trial),
      };
    }),
  ),
  {
    name: 'registers: fused equals unfused',
    run: (gpu) => againstUnfused(gpu, 'registers', trialOf(common[0] as Row)),
  },
  ...(['registers', 'workgroup'] as const).map(
    (tiling): GpuCase => ({
      name: `${tiling}: listed patches alone`,
      run: (gpu) => listedPatches(gpu, tiling, trialOf(common[1] as Row)),
    }),
  ),
];
