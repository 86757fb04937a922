import { Arena } from '../../src/gpu/arena';
import type { Gpu } from '../../src/gpu/gpu';
import { type ConvShape, packConv } from '../../src/kernels/convolution/conv';
import { outputSize } from '../../src/kernels/convolution/conv_kernel';
import type { Places } from '../../src/kernels/shared/places';
import {
  filterBytes,
  type TransformedMethod,
  transformFilters,
} from '../../src/kernels/winograd/transformed';
import { FUSED_4X4_INVOCATIONS } from '../../src/kernels/winograd/winograd_fused';
import type { ConvDtype } from '../../src/numbers/dtypes';
import { methodName } from '../../src/plan/candidates';
import { recordConv, recordMaskedFused } from '../../src/runtime/record-conv';
import type { GpuCase, ImplementationName } from '../harness/case';
import { assertClose, testValues } from '../harness/compare';
import { convReference, maskError, maskReference, rangesReference } from '../reference/conv';
import { encodeWeights, halfValue } from '../reference/weights';
import { filtersReference, type Stored, winogradTolerance } from '../reference/winograd';

/*
 * F(2x2) and F(4x4) in one kernel. A workgroup of F(2x2) has 8 places of 4x4 outputs and 32 channels, takes 4 channels at a
 * time, and goes through 8 blocks of places before the next 32; one of F(4x4) has 16 places and takes 3 channels.
 */

type FusedMethod = Extract<TransformedMethod, { readonly kind: 'fused' }>;
type Method = Exclude<TransformedMethod, { readonly kind: 'winograd' }>;

/** [inChannels, outChannels, height, width, activation, pool, batch] */
type Row = readonly [number, number, number, number, number, boolean, number];

const rows: readonly Row[] = [
  [1, 1, 1, 1, 0, false, 1],
  [3, 7, 3, 5, 0.1, false, 3],
  [4, 32, 4, 4, 1, false, 1],
  [5, 33, 6, 7, 0, true, 3],
  [9, 70, 14, 15, 0.1, true, 2],
  [16, 24, 17, 13, 0, false, 1],
  [33, 5, 28, 28, 0, true, 1],
  // More than 8 blocks of places, twice 32 channels.
  [2, 40, 61, 38, 0, false, 1],
];

const ONE: FusedMethod = { kind: 'fused', precision: 'f32', sides: 1 };
const TWO: FusedMethod = { kind: 'fused', precision: 'f32', sides: 2 };
const FOUR: Method = { kind: 'fused4x4', precision: 'f32' };

const storedOf = (method: Method): Stored => ({
  precision: method.precision,
  products: method.kind === 'fused' ? method.products : undefined,
  outputs: method.kind === 'fused' ? 2 : 4,
  inOneKernel: true,
});

const shapeOf = ([inChannels, outChannels, height, width, activation, pool]: Row): ConvShape => ({
  inChannels,
  outChannels,
  height,
  width,
  kernel: 3,
  activation,
  pool,
});

function layerOf(gpu: Gpu, shape: ConvShape, dtype: ConvDtype) {
  const { inChannels, outChannels } = shape;
  const weights = testValues(outChannels * inChannels * 9, 2);
  const bias = testValues(outChannels, 3);
  const packed = packConv(weights, bias, shape, dtype);
  const { values } = encodeWeights(weights, outChannels, dtype);
  const buffers = {
    weights: { buffer: gpu.upload('weights', packed.weights) },
    bias: { buffer: gpu.upload('bias', packed.bias) },
    filters: undefined,
    dtype,
  };
  return { values, bias, buffers };
}

/** A convolution of a tensor, recorded with what else its arena holds. */
function recorded(
  gpu: Gpu,
  shape: ConvShape,
  batch: number,
  method: Method,
  input: Float32Array<ArrayBuffer>,
  layer: ReturnType<typeof layerOf>,
  places?: Places,
) {
  const { height, width } = outputSize(shape);
  const count = batch * shape.outChannels * height * width;
  const output = gpu.createBuffer('output', 4 * count);
  const dispatches = recordConv(
    {
      label: 'test',
      shape,
      batch,
      method,
      ...layer.buffers,
      input: { buffer: gpu.upload('input', input) },
      output: { buffer: output },
      places,
    },
    new Arena(gpu),
  );
  return { dispatches, output, count };
}

const inputOf = ({ inChannels, height, width }: ConvShape, batch: number) =>
  testValues(batch * inChannels * height * width, 1) as Float32Array<ArrayBuffer>;

async function run(gpu: Gpu, row: Row, dtype: ConvDtype, method: Method): Promise<string> {
  const shape = shapeOf(row);
  const batch = row[6];
  const input = inputOf(shape, batch);
  const layer = layerOf(gpu, shape, dtype);
  const expected = convReference(shape, batch, input, layer.values, layer.bias);
  const { dispatches, output, count } = recorded(gpu, shape, batch, method, input, layer);
  await gpu.submit('fused', dispatches);
  return assertClose(
    'output',
    await gpu.read(output, count),
    expected.values,
    winogradTolerance(shape, batch, input, layer.values, storedOf(method)),
  );
}

/** The transform alone; it writes everything, so that a buffer with anything in it will do. */
async function runFilters(gpu: Gpu, row: Row, dtype: ConvDtype, method: Method): Promise<string> {
  const shape = shapeOf(row);
  const { values, buffers } = layerOf(gpu, shape, dtype);
  const filters = gpu.createBuffer('filters', filterBytes(shape, method));
  gpu.write(filters, new Float32Array(filters.size / 4).fill(Number.NaN));
  await gpu.submit('filters', [
    transformFilters({
      label: 'test',
      shape,
      dtype,
      method,
      weights: buffers.weights,
      filters: { buffer: filters },
    }),
  ]);
  const { precision } = method;
  const expected = filtersReference(values, shape, storedOf(method));
  const words = await gpu.read(filters);
  const actual =
    precision === 'f32'
      ? words
      : Float32Array.from(new Uint16Array(words.buffer), (bits) => halfValue(bits) / 32);
  return assertClose('filters', actual, expected.values, expected.tolerance);
}

/** A third of the places. */
function somePlaces(gpu: Gpu, { height, width }: ConvShape, batch: number) {
  const across = Math.ceil(width / 4);
  const each = across * Math.ceil(height / 4);
  const chosen = Array.from({ length: batch * each }, (_, i) => i).filter((i) => i % 3 === 1);
  const list = { buffer: gpu.upload('places', Uint32Array.from(chosen)) };
  return { across, each, chosen: new Set(chosen), places: { list, count: chosen.length } };
}

/** What lies in listed places is what it is among all, bit for bit, and the rest is left alone. */
async function compareListed(
  gpu: Gpu,
  shape: ConvShape,
  { across, each, chosen }: ReturnType<typeof somePlaces>,
  all: ReturnType<typeof recorded>,
  some: ReturnType<typeof recorded>,
): Promise<string> {
  gpu.write(some.output, new Float32Array(some.count).fill(-123));
  await gpu.submit('all and some', [...all.dispatches, ...some.dispatches]);
  const [a, b] = [await gpu.read(all.output, all.count), await gpu.read(some.output, some.count)];
  const { height, width } = outputSize(shape);
  const size = shape.pool ? 2 : 4;
  const wrong = [...b.keys()].filter((i) => {
    const n = Math.floor(i / (height * width * shape.outChannels));
    const y = Math.floor((Math.floor(i / width) % height) / size);
    const x = Math.floor((i % width) / size);
    return b[i] !== (chosen.has(n * each + y * across + x) ? a[i] : -123);
  });
  if (wrong.length > 0)
    throw new Error(`${wrong.length} of ${b.length} values, the first at ${wrong[0]}`);
  return `${chosen.size} places`;
}

async function runListed(gpu: Gpu, row: Row, method: Method): Promise<string> {
  const shape = shapeOf(row);
  const batch = row[6];
  const input = inputOf(shape, batch);
  const layer = layerOf(gpu, shape, 'f32');
  const own = somePlaces(gpu, shape, batch);
  const all = recorded(gpu, shape, batch, method, input, layer);
  const some = recorded(gpu, shape, batch, method, input, layer, own.places);
  return compareListed(gpu, shape, own, all, some);
}

/** The first layer: [shape, batch], maps of these sizes, aligned corners. */
interface Masked {
  readonly row: Row;
  readonly map: readonly [height: number, width: number];
  readonly alignCorners: boolean;
}

const masked: readonly Masked[] = [
  { row: [3, 35, 29, 28, 0, true, 3], map: [14, 14], alignCorners: false },
  { row: [1, 9, 9, 15, 1, false, 2], map: [7, 5], alignCorners: true },
  { row: [6, 8, 13, 10, 0.1, false, 2], map: [20, 3], alignCorners: false },
];

const MAPS = 5;

function maskedLayer(gpu: Gpu, { row, map, alignCorners }: Masked, method: FusedMethod) {
  const shape = shapeOf(row);
  const batch = row[6];
  const { inChannels, height, width } = shape;
  const [mapHeight, mapWidth] = map;
  const spec = { height, width, mapHeight, mapWidth, alignCorners };
  const image = inputOf(shape, 1);
  const maps = testValues(MAPS * mapHeight * mapWidth, 5);
  const ranges = rangesReference(maps, MAPS, spec);
  const layer = layerOf(gpu, shape, 'f32');
  // Mask m is made of the map m + 1 places on.
  const firstMask = 1;
  const channels = Uint32Array.of(4, 0, 3, 1);
  const size = height * width;
  const images = new Float64Array(batch * image.length);
  const errors = new Float64Array(images.length);
  for (let m = 0; m < batch; m++) {
    const k = channels[firstMask + m] as number;
    const mask = maskReference(maps, ranges, k, spec);
    const error = maskError(maps, ranges, k, spec);
    image.forEach((value, i) => {
      images[m * image.length + i] = value * (mask[i % size] as number);
      errors[m * image.length + i] = Math.abs(value) * error;
    });
  }
  const count = batch * shape.outChannels * outputSize(shape).height * outputSize(shape).width;
  const tensors = {
    image: { buffer: gpu.upload('image', image) },
    maps: { buffer: gpu.upload('maps', maps) },
    ranges: { buffer: gpu.upload('ranges', ranges) },
    channels: { buffer: gpu.upload('channels', channels) },
  };
  const record = (places?: Places, constant?: Float32Array) => {
    const output = gpu.createBuffer('output', 4 * count);
    const own = constant
      ? { ...tensors, ranges: { buffer: gpu.upload('ranges', constant) } }
      : tensors;
    const dispatches = recordMaskedFused(
      {
        label: 'test',
        shape,
        batch,
        method,
        ...layer.buffers,
        ...own,
        firstMask,
        mapHeight,
        mapWidth,
        alignCorners,
        output: { buffer: output },
        places,
      },
      new Arena(gpu),
    );
    return { dispatches, output, count };
  };
  return { shape, batch, inChannels, images, errors, layer, record };
}

async function runMasked(gpu: Gpu, trial: Masked, method: FusedMethod): Promise<string> {
  const { shape, batch, images, errors, layer, record } = maskedLayer(gpu, trial, method);
  const { values, bias } = layer;
  const expected = convReference(shape, batch, images, values, bias);
  // What the pixels are off by grows as the roundings do: their errors through the same sums.
  const pixels = Float32Array.from(images);
  const off = Math.max(...errors.map((error) => error));
  const carried = winogradTolerance(shape, batch, pixels.fill(off), values, {
    precision: 'f32',
    outputs: 2,
  });
  const sums = shape.inChannels + 4 * 4 + 6 + 2;
  const tolerance =
    winogradTolerance(shape, batch, Float32Array.from(images), values, {
      precision: 'f32',
      outputs: 2,
    }) +
    carried / (sums * 2 ** -24);
  const { dispatches, output, count } = record();
  await gpu.submit('masked', dispatches);
  return assertClose('output', await gpu.read(output, count), expected.values, tolerance);
}

/** A constant map has no range: its mask is zero, never NaN, and the output is the activated bias. */
async function runConstant(gpu: Gpu, trial: Masked, method: FusedMethod): Promise<string> {
  const { shape, batch, layer, record } = maskedLayer(gpu, trial, method);
  const { dispatches, output, count } = record(undefined, new Float32Array(2 * MAPS).fill(1));
  await gpu.submit('masked', dispatches);
  const plane = count / batch / shape.outChannels;
  const expected = Float64Array.from({ length: count }, (_, i) => {
    const bias = layer.bias[Math.floor(i / plane) % shape.outChannels] as number;
    return Math.max(bias, 0) + shape.activation * Math.min(bias, 0);
  });
  return assertClose('activated bias', await gpu.read(output, count), expected, 2 ** -23);
}

async function runMaskedListed(gpu: Gpu, trial: Masked, method: FusedMethod): Promise<string> {
  const { shape, batch, record } = maskedLayer(gpu, trial, method);
  const own = somePlaces(gpu, shape, batch);
  return compareListed(gpu, shape, own, record(), record(own.places));
}

const named = (method: Method): string =>
  method.kind === 'fused'
    ? `${method.precision}${method.products ? ' products' : ''}, ${16 * method.sides} KiB`
    : methodName(method);

const convolutions = (some: readonly Row[], dtype: ConvDtype, method: Method): GpuCase[] =>
  some.map((row) => {
    const [inChannels, outChannels, height, width, activation, pool, batch] = row;
    return {
      name:
        `${named(method)}, weights ${dtype}: ${batch} x ${inChannels} to ${outChannels} channels, ` +
        `${height} x ${width}, activation ${activation}${pool ? ', pool' : ''}`,
      run: (gpu) => run(gpu, row, dtype, method),
    };
  });

const filters = (dtype: ConvDtype, method: Method): GpuCase[] =>
  [1, 3, 4].map((i) => {
    const row = rows[i] as Row;
    return {
      name: `${named(method)}: filters of ${row[0]} to ${row[1]} channels, ${dtype}`,
      run: (gpu) => runFilters(gpu, row, dtype, method),
    };
  });

const some = (...places: readonly number[]): Row[] => places.map((i) => rows[i] as Row);

// Barriers make them slow to compile, above all for lavapipe, and every shape is compiled anew: it has what SwiftShader cannot.
const transforms = [...filters('f32', ONE), ...filters('f16', ONE)];
const inChrome: GpuCase[] = [
  ...convolutions(some(1, 4, 6, 7), 'f32', ONE),
  ...convolutions(some(3), 'f16', ONE),
  ...convolutions(some(3, 4), 'f32', TWO),
  { name: `${named(ONE)}: listed places alone`, run: (gpu) => runListed(gpu, rows[4] as Row, ONE) },
  { name: `${named(TWO)}: listed places alone`, run: (gpu) => runListed(gpu, rows[4] as Row, TWO) },
  {
    name: 'masked: listed places alone',
    run: (gpu) => runMaskedListed(gpu, masked[0] as Masked, ONE),
  },
];

/** No plan masks by it unless it is told to. */
const elsewhere: GpuCase[] = [
  ...convolutions(some(0, 2, 5), 'f32', ONE),
  ...masked.map((trial, i) => ({
    name: `${named(ONE)}, masked: maps of ${trial.map.join(' x ')} on ${trial.row.slice(2, 4).join(' x ')}`,
    run: (gpu: Gpu) => runMasked(gpu, trial, i === 1 ? TWO : ONE),
  })),
  {
    name: 'masked: a constant map gives no NaN',
    run: (gpu) => runConstant(gpu, masked[1] as Masked, ONE),
  },
];

/** For devices with shader-f16. */
const half: FusedMethod = { kind: 'fused', precision: 'f16', sides: 1 };
const halfCases: GpuCase[] = [
  ...filters('f32', half),
  ...filters('f16', half),
  ...convolutions(some(4), 'f16', half),
];
const moreHalfCases: GpuCase[] = convolutions(some(5), 'f32', half);

const inHalf: FusedMethod = { ...half, products: 'f16' };
// Channels of one step, of one block and one step more, of two blocks and a part; two blocks of outputs.
const moreProductCases: GpuCase[] = convolutions(some(1, 3, 6), 'f32', inHalf);
const productCases: GpuCase[] = [
  ...convolutions(some(4), 'f32', inHalf),
  {
    name: `${named(inHalf)}: listed places alone`,
    run: (gpu) => runListed(gpu, rows[4] as Row, inHalf),
  },
];

/** For devices with workgroups of 288. */
const large = (own: readonly GpuCase[]): GpuCase[] =>
  own.map((one) => ({
    ...one,
    run: async (gpu, context) =>
      gpu.facts.maxInvocations < FUSED_4X4_INVOCATIONS
        ? `not run: workgroups of ${gpu.facts.maxInvocations}`
        : one.run(gpu, context),
  }));

const fours: GpuCase[] = large([
  ...filters('f32', FOUR),
  ...convolutions(some(4), 'f32', FOUR),
  {
    name: `${named(FOUR)}: listed places alone`,
    run: (gpu) => runListed(gpu, rows[4] as Row, FOUR),
  },
]);
const moreFours: GpuCase[] = large([
  ...filters('f16', FOUR),
  ...convolutions(some(0, 1, 2, 3, 5, 6), 'f32', FOUR),
  // More than 8 blocks of places.
  ...convolutions(
    [
      [2, 40, 61, 38, 0, false, 1],
      [4, 33, 45, 50, 0.1, true, 2],
    ],
    'f32',
    FOUR,
  ),
]);
const halfFour: Method = { kind: 'fused4x4', precision: 'f16' };
const halfFours: GpuCase[] = large([
  ...filters('f16', halfFour),
  ...convolutions(some(4), 'f32', halfFour),
]);

const usually = (own: readonly GpuCase[], ...where: readonly ImplementationName[]): GpuCase[] =>
  own.map((one) => ({ ...one, usually: where }));

export const cases: GpuCase[] = [
  ...usually(transforms, 'chrome'),
  ...usually(inChrome, 'chrome'),
  ...usually(elsewhere),
  ...usually(fours, 'dawn'),
  ...usually(moreFours),
  // lavapipe takes up to a minute to compile it.
  ...usually(halfFours).map((one): GpuCase => ({ ...one, needs: ['shader-f16'] })),
  ...usually(moreProductCases).map((one): GpuCase => ({ ...one, needs: ['shader-f16'] })),
  ...usually(productCases, 'dawn').map((one): GpuCase => ({ ...one, needs: ['shader-f16'] })),
  ...usually(moreHalfCases).map((one): GpuCase => ({ ...one, needs: ['shader-f16'] })),
  ...usually(halfCases, 'dawn').map((one): GpuCase => ({ ...one, needs: ['shader-f16'] })),
];
