import type { Gpu } from '../../src/gpu/gpu';
import { type ConvShape, packConv } from '../../src/kernels/convolution/conv';
import { PRODUCT_TILES } from '../../src/kernels/shared/gemm_tile';
import {
  IN_REGISTERS,
  PRODUCTS,
  SLICING,
  sliceOf,
  tilesOf,
  type WinogradMethod,
  winogradConv,
  winogradFilterBytes,
  winogradFilters,
  winogradProduct,
  winogradScratch,
} from '../../src/kernels/winograd/winograd';
import type { ConvDtype } from '../../src/numbers/dtypes';
import { convDevice } from '../../src/plan/device';
import type { GpuCase } from '../harness/case';
import { assertClose, testValues } from '../harness/compare';
import { quadsNeedSubgroups, usuallyQuadsOnDawn } from '../harness/quads';
import { convReference } from '../reference/conv';
import { encodeWeights, halfValue } from '../reference/weights';
import { filtersReference, productReference, winogradTolerance } from '../reference/winograd';

/** [inChannels, outChannels, height, width, activation, pool, batch]: tiles of 4x4, 16 tiles x 8 channels. */
const rows: readonly (readonly [number, number, number, number, number, boolean, number])[] = [
  [1, 1, 1, 1, 0, false, 1],
  [3, 7, 3, 5, 0.1, false, 3],
  [5, 8, 4, 4, 1, false, 1],
  [8, 9, 5, 9, 0, true, 3],
  [9, 17, 14, 15, 0.1, true, 2],
  [16, 16, 17, 13, 0, false, 1],
  [33, 5, 28, 28, 0, true, 1],
];

/** The same of channels that quads divide: four of the input's, 32 of the output's when rounded up to 8. */
const quadRows: typeof rows = [
  [4, 32, 1, 1, 0, false, 1],
  [4, 30, 5, 9, 0, true, 3],
  [12, 64, 14, 15, 0.1, false, 2],
  [20, 90, 17, 13, 0, false, 1],
];

const WORKGROUP = { ...IN_REGISTERS, product: 'workgroup' } as const;
const QUADS = { ...IN_REGISTERS, product: 'quads' } as const;

/** The packed weights of a layer, the numbers they stand for, and the dispatch that transforms them. */
function layer(gpu: Gpu, shape: ConvShape, dtype: ConvDtype, method: WinogradMethod) {
  const { inChannels, outChannels } = shape;
  const weights = testValues(outChannels * inChannels * 9, 2);
  const bias = testValues(outChannels, 3);
  const packed = packConv(weights, bias, shape, dtype);
  const filters = { buffer: gpu.createBuffer('filters', winogradFilterBytes(shape, method)) };
  const transform = winogradFilters({
    label: 'test',
    shape,
    dtype,
    weights: { buffer: gpu.upload('weights', packed.weights) },
    filters,
    precision: method.precision,
  });
  const { values } = encodeWeights(weights, outChannels, dtype);
  return { values, bias, packedBias: packed.bias, filters, transform };
}

/** Numbers that stand in a buffer as f32, or as f16 and `scale` times as large. */
async function read(gpu: Gpu, buffer: GPUBuffer, { precision }: WinogradMethod, scale: number) {
  const words = await gpu.read(buffer);
  if (precision === 'f32') return words;
  return Float32Array.from(new Uint16Array(words.buffer), (bits) => halfValue(bits) / scale);
}

/** The transform alone; it writes everything, so that scratch with anything in it will do. */
async function runFilters(
  gpu: Gpu,
  shape: ConvShape,
  dtype: ConvDtype,
  method: WinogradMethod,
): Promise<string> {
  const { values, filters, transform } = layer(gpu, shape, dtype, method);
  gpu.write(filters.buffer, new Float32Array(filters.buffer.size / 4).fill(Number.NaN));
  await gpu.submit('winograd filters', [transform]);
  const expected = filtersReference(values, shape, method);
  const actual = await read(gpu, filters.buffer, method, 32);
  return assertClose('filters', actual, expected.values, expected.tolerance);
}

async function run(
  gpu: Gpu,
  shape: ConvShape,
  batch: number,
  dtype: ConvDtype,
  method: WinogradMethod,
): Promise<string> {
  const { inChannels, height, width } = shape;
  const input = testValues(batch * inChannels * height * width, 1);
  const { values, bias, packedBias, filters, transform } = layer(gpu, shape, dtype, method);
  const expected = convReference(shape, batch, input, values, bias);
  const scratch = winogradScratch(shape, batch, undefined, method);
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
    method,
  });
  await gpu.submit('winograd', [transform, ...dispatches]);
  const actual = await gpu.read(output, expected.values.length);
  return assertClose(
    'output',
    actual,
    expected.values,
    winogradTolerance(shape, batch, input, values, method),
  );
}

/** [channels, outStride, stride]: round a step of K, and round 64 and 128 of either matrix. */
const products: readonly (readonly [number, number, number])[] = [
  [1, 8, 16],
  [7, 56, 48],
  [8, 64, 64],
  [9, 72, 80],
  [16, 120, 112],
  [17, 128, 128],
  [24, 136, 144],
];

const quadProducts: typeof products = [
  [4, 32, 16],
  [12, 96, 48],
  [20, 64, 112],
];

/** [products, channels, stride] as [products, stride / 16, channels, 16]. */
function inBlocks<T extends Float32Array | Float64Array>(
  values: T,
  channels: number,
  stride: number,
): T {
  const blocked = values.slice() as T;
  for (let i = 0; i < values.length; i++) {
    const rest = i % (channels * stride);
    const tile = Math.floor(rest / (16 * channels)) * 16 + (i % 16);
    const channel = Math.floor(rest / 16) % channels;
    blocked[i] = values[i - rest + channel * stride + tile] as number;
  }
  return blocked;
}

/**
 * The product alone, with a row of workgroups too many each way: they must not write anything, neither elsewhere in
 * the product nor behind it.
 */
async function runProduct(
  gpu: Gpu,
  [channels, outStride, stride]: (typeof products)[number],
  method: WinogradMethod,
): Promise<string> {
  const sizes = { products: PRODUCTS, channels, outStride, stride };
  const u = testValues(sizes.products * channels * outStride, 1);
  const v = testValues(sizes.products * channels * stride, 2);
  const expected = productReference(u, v, sizes);
  const count = expected.values.length;
  const blocked = method.product === 'quads';
  const laid = <T extends Float32Array | Float64Array>(values: T, rows: number): T =>
    blocked ? inBlocks(values, rows, stride) : values;
  const sentinel = new Float32Array(4096).fill(7);
  const product = gpu.createBuffer('product', 4 * (count + sentinel.length));
  gpu.write(product, new Float32Array(count).fill(Number.NaN));
  gpu.write(product, sentinel, 4 * count);
  const dispatch = winogradProduct({
    label: 'test',
    method,
    channels,
    outStride,
    count: stride,
    filters: { buffer: gpu.upload('filters', u) },
    transformed: { buffer: gpu.upload('transformed', laid(v, channels)) },
    product: { buffer: product },
  });
  const [x, y, z] = dispatch.workgroups;
  await gpu.submit('product', [{ ...dispatch, workgroups: [x + 1, y + 1, z] }]);
  const actual = await gpu.read(product);
  assertClose('behind the product', actual.subarray(count), sentinel, 0);
  return assertClose(
    'product',
    actual.subarray(0, count),
    laid(expected.values, outStride),
    laid(expected.tolerance, outStride),
  );
}

/** A layer of several slices gives the same bits as its parts, image by image, in one slice each. */
async function runSlices(gpu: Gpu, method: WinogradMethod): Promise<string> {
  const { bytes } = SLICING[method.product === 'registers' ? 'software' : 'gpu'];
  const batch = 5;
  // Tall and narrow, one tile a row: many tiles. The second slice begins in the middle of an image.
  const shape = { ...shapeOf([1, 8, 1, 1, 0, false, 1]), inChannels: 1, height: 16384, width: 4 };
  const tiles = tilesOf(shape, batch);
  const slice = sliceOf(shape, tiles, method);
  const one = tilesOf(shape, 1);
  if (!(slice < tiles && slice >= one && one * 36 * 4 * 8 <= bytes)) {
    throw new Error(`${tiles} tiles in slices of ${slice}, ${one} an image`);
  }
  const input = testValues(batch * shape.height * shape.width, 1);
  const { packedBias, filters, transform } = layer(gpu, shape, 'f32', method);
  const bias = { buffer: gpu.upload('bias', packedBias) };
  const scratch = winogradScratch(shape, batch, undefined, method);
  const transformed = { buffer: gpu.createBuffer('transformed', scratch.transformed) };
  const product = { buffer: gpu.createBuffer('product', scratch.product) };
  const tensors = { label: 'test', shape, filters, bias, transformed, product, method };
  const size = 8 * shape.height * shape.width;
  const whole = gpu.createBuffer('whole', 4 * batch * size);
  const dispatches = winogradConv({
    ...tensors,
    batch,
    input: { buffer: gpu.upload('input', input) },
    output: { buffer: whole },
  });
  await gpu.submit('slices', [transform, ...dispatches]);
  const actual = await gpu.read(whole);
  for (let n = 0; n < batch; n++) {
    const image = input.slice(n * (size / 8), (n + 1) * (size / 8));
    const output = gpu.createBuffer('part', 4 * size);
    const part = winogradConv({
      ...tensors,
      batch: 1,
      input: { buffer: gpu.upload('image', image) },
      output: { buffer: output },
    });
    if (part.length !== 3) throw new Error('an image is one slice');
    await gpu.submit('part', part);
    const expected = await gpu.read(output);
    assertClose(`image ${n}`, actual.subarray(n * size, (n + 1) * size), expected, 0);
  }
  return `${dispatches.length / 3} slices of up to ${slice} tiles`;
}

function shapeOf([
  inChannels,
  outChannels,
  height,
  width,
  activation,
  pool,
]: (typeof rows)[number]) {
  return { inChannels, outChannels, height, width, kernel: 3, activation, pool } as const;
}

const nameOf = ({ precision, product }: WinogradMethod): string =>
  `F(4x4), ${product}, ${precision}`;

const convolutions = (dtype: ConvDtype, method: WinogradMethod, some: typeof rows): GpuCase[] =>
  some.map((row) => {
    const [inChannels, outChannels, height, width, activation, pool, batch] = row;
    return {
      name:
        `${nameOf(method)}, weights ${dtype}: ${batch} x ${inChannels} to ${outChannels} channels, ` +
        `${height} x ${width}, activation ${activation}${pool ? ', pool' : ''}`,
      run: (gpu) => run(gpu, shapeOf(row), batch, dtype, method),
    };
  });

const transforms = (method: WinogradMethod): GpuCase[] =>
  (['f32', 'f16'] as const).flatMap((dtype) =>
    [0, 3, 4, 6].map((i): GpuCase => {
      const shape = shapeOf(rows[i] as (typeof rows)[number]);
      return {
        name: `${nameOf(method)}: filters of ${shape.inChannels} to ${shape.outChannels} channels, ${dtype}`,
        run: (gpu) => runFilters(gpu, shape, dtype, method),
      };
    }),
  );

const singleCases: GpuCase[] = [
  ...transforms(IN_REGISTERS),
  ...convolutions('f32', IN_REGISTERS, rows),
  ...convolutions('f16', IN_REGISTERS, rows.slice(3, 5)),
  ...convolutions('f32', WORKGROUP, rows),
  ...convolutions('f32', QUADS, quadRows),
  ...quadProducts.map((sizes) => ({
    name: `product of ${sizes.join(' x ')} in quads`,
    run: (gpu: Gpu) => runProduct(gpu, sizes, QUADS),
  })),
  ...quadProducts.map((sizes) => ({
    name: `product of ${sizes.join(' x ')} in quads, whole subgroups`,
    run: (gpu: Gpu) => {
      const { quads } = convDevice(gpu.facts, 'f32');
      if (!quads) throw new Error('subgroups of no certain size');
      return runProduct(gpu, sizes, { ...QUADS, quads });
    },
  })),
  // Whole steps of 8 channels or not are pipelines of their own, slow to compile: the oblong tiles have one each.
  ...PRODUCT_TILES.flatMap((tile) =>
    products.map((sizes) => ({
      usually:
        tile.rows === tile.cols || tile.rows < tile.cols === (sizes[0] % 8 === 0) ? ['chrome'] : [],
      name: `product of ${sizes.join(' x ')} in tiles of ${8 * tile.rows} x ${8 * tile.cols}`,
      run: (gpu: Gpu) => runProduct(gpu, sizes, { ...WORKGROUP, tile }),
    })),
  ),
  {
    name: 'slices of a layer with many tiles, in registers',
    run: (gpu) => runSlices(gpu, IN_REGISTERS),
  },
  {
    name: 'slices of a layer with many tiles, in workgroups',
    run: (gpu) => runSlices(gpu, { ...WORKGROUP, tile: { rows: 8, cols: 8 } }),
  },
];

/** For devices with shader-f16. */
const halfCases: GpuCase[] = (() => {
  const method: WinogradMethod = { precision: 'f16', product: 'workgroup' };
  return [
    ...transforms(method),
    ...convolutions('f32', method, rows),
    ...convolutions('f16', method, rows.slice(3, 4)),
    ...convolutions('f32', { ...method, product: 'registers' }, rows.slice(2, 6)),
  ];
})();

export const cases: GpuCase[] = [
  ...usuallyQuadsOnDawn(quadsNeedSubgroups(singleCases)),
  ...halfCases.map((one): GpuCase => ({ ...one, usually: ['dawn'], needs: ['shader-f16'] })),
];
