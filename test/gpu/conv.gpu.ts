import { type AnyConvTiling, anyConv } from '../../bench/ladder/naive';
import type { Gpu } from '../../src/gpu/gpu';
import { type ConvShape, packConv } from '../../src/kernels/convolution/conv';
import { CONV_TILES, type GemmTile, tileName } from '../../src/kernels/shared/gemm_tile';
import type { ConvDtype } from '../../src/numbers/dtypes';
import type { GpuCase } from '../harness/case';
import { assertClose, testValues } from '../harness/compare';
import { quadsNeedSubgroups, usuallyQuadsOnDawn } from '../harness/quads';
import { convReference } from '../reference/conv';
import { encodeWeights } from '../reference/weights';

interface Trial extends ConvShape {
  readonly batch: number;
}

/** [inChannels, outChannels, height, width, kernel, activation, pool, batch] */
type Row = readonly [number, number, number, number, 1 | 3, number, boolean, number];

/** Shapes round each tiling's tile: one less, the tile, one more, in channels, height and width. */
const rows: Record<AnyConvTiling, readonly Row[]> = {
  naive: [
    [1, 1, 1, 1, 3, 0, false, 1],
    [3, 5, 7, 9, 3, 0.1, false, 3],
    [3, 5, 7, 9, 3, 0.1, true, 3],
    [5, 3, 8, 8, 1, 1, true, 1],
    [7, 9, 4, 5, 1, 0, false, 3],
  ],
  registers: [
    [1, 1, 1, 1, 3, 0, false, 1],
    [3, 7, 1, 13, 3, 0.1, false, 3],
    [5, 8, 2, 14, 3, 1, false, 1],
    [7, 9, 3, 15, 3, 0, false, 3],
    [9, 17, 3, 27, 3, 0.1, true, 3],
    [1, 8, 2, 28, 3, 0, true, 1],
    [3, 16, 5, 29, 3, 1, true, 1],
    [1, 7, 1, 1, 1, 1, false, 1],
    [5, 9, 3, 15, 1, 0.1, false, 3],
    [17, 5, 7, 29, 1, 0, true, 3],
  ],
  // 1x1 alone: 32 channels by 16 pixels of an image, four channels of the input at a time.
  quads: [
    [1, 1, 1, 1, 1, 0, false, 1],
    [5, 9, 3, 15, 1, 0.1, false, 3],
    [8, 33, 4, 4, 1, 1, false, 2],
    [11, 64, 7, 7, 1, 0, false, 2],
    [6, 40, 5, 13, 1, 0, false, 1],
    // What is pooled is computed in registers.
    [4, 8, 5, 6, 1, 0, true, 2],
  ],
  // Tiles are 128, 64 or 32 channels by 16 or 32 quads, which may be of several images.
  workgroup: [
    [1, 1, 1, 1, 3, 0, false, 1],
    [3, 17, 7, 15, 3, 0.1, false, 3],
    [1, 16, 15, 17, 3, 0, true, 1],
    [5, 63, 8, 8, 3, 1, false, 1],
    [3, 65, 7, 9, 3, 0.1, true, 3],
    [9, 33, 5, 7, 1, 0, false, 3],
    [8, 32, 8, 16, 1, 1, true, 1],
    [2, 129, 5, 13, 3, 0, false, 2],
  ],
};

/** Of rows, those that run with f16 weights too, which differ in nothing but how weights are read. */
const halves: Record<AnyConvTiling, readonly number[]> = {
  naive: [1, 4],
  registers: [0, 4, 8],
  quads: [1, 3],
  workgroup: [1, 4, 5],
};

function name(tiling: AnyConvTiling, dtype: ConvDtype, t: Trial, tile?: GemmTile): string {
  const activation =
    t.activation === 0 ? 'relu' : t.activation === 1 ? 'linear' : `leaky ${t.activation}`;
  return (
    `${tiling}${tile ? ` ${tileName(tile)}` : ''}, ${dtype}: ${t.batch} x ${t.inChannels} to ${t.outChannels} channels, ${t.height} x ${t.width}, ` +
    `kernel ${t.kernel}, ${activation}${t.pool ? ', pool' : ''}`
  );
}

async function run(
  gpu: Gpu,
  tiling: AnyConvTiling,
  dtype: ConvDtype,
  { batch, ...shape }: Trial,
  tile?: GemmTile,
): Promise<string> {
  const { inChannels, outChannels, kernel } = shape;
  const input = testValues(batch * inChannels * shape.height * shape.width, 1);
  const weights = testValues(outChannels * inChannels * kernel * kernel, 2);
  const bias = testValues(outChannels, 3);
  const { values } = encodeWeights(weights, outChannels, dtype);
  const expected = convReference(shape, batch, input, values, bias);
  const packed = packConv(weights, bias, shape, dtype);
  const output = gpu.createBuffer('output', expected.values.length * 4);
  await gpu.submit('conv', [
    anyConv(tiling, {
      label: 'test',
      shape,
      dtype,
      batch,
      input: { buffer: gpu.upload('input', input) },
      weights: { buffer: gpu.upload('weights', packed.weights) },
      bias: { buffer: gpu.upload('bias', packed.bias) },
      output: { buffer: output },
      choice: { tile },
    }),
  ]);
  const actual = await gpu.read(output, expected.values.length);
  return assertClose('output', actual, expected.values, expected.tolerance);
}

function cased(tiling: AnyConvTiling, dtype: ConvDtype, row: Row, tile?: GemmTile): GpuCase {
  const [inChannels, outChannels, height, width, kernel, activation, pool, batch] = row;
  const trial = { inChannels, outChannels, height, width, kernel, activation, pool, batch };
  return {
    name: name(tiling, dtype, trial, tile),
    run: (gpu) => run(gpu, tiling, dtype, trial, tile),
  };
}

const plain: GpuCase[] = usuallyQuadsOnDawn(
  (Object.keys(rows) as AnyConvTiling[]).flatMap((tiling) => [
    ...rows[tiling].map((row) => cased(tiling, 'f32', row)),
    ...halves[tiling].map((i) => cased(tiling, 'f16', rows[tiling][i] as Row)),
  ]),
);

/**
 * Every tile at every shape. SwiftShader takes a second or two to compile each: one of each shape in each test run, which
 * are all tiles and all shapes.
 */
const tileCases: GpuCase[] = CONV_TILES.flatMap((tile, t) =>
  rows.workgroup.map((row, r): GpuCase => {
    const usually = t === r % CONV_TILES.length ? (['chrome'] as const) : [];
    return { ...cased('workgroup', 'f32', row, tile), usually };
  }),
);

export const cases: GpuCase[] = quadsNeedSubgroups([...plain, ...tileCases]);
