import type { ConvShape } from '../../../src/kernels/conv';
import type { Dispatch } from '../../../src/kernels/kernel';
import { turnedBytes, turnFilters } from '../../../src/kernels/turn_filters';
import { turnWinogradFilters } from '../../../src/kernels/turn_winograd_filters';
import { WEIGHT_BYTES } from '../../../src/kernels/weight_dtype';
import {
  tilesOf,
  winogradConv,
  winogradFilterBytes,
  winogradFilters,
  winogradScratch,
} from '../../../src/kernels/winograd';
import type { Scale } from '../scale';
import { convBatch, convTensors, layerShape } from './convolutions';
import { bytesOf, everySecond, type Subject, type Tensors } from './subject';

const group = 'Winograd F(4x4, 3x3)';

/** Operations of the transforms, as their headers say: a tile and channel, or four filters of one channel. */
const INPUT_FLOP = 250;
const OUTPUT_FLOP = 150;
const FILTER_FLOP = 4 * 140;

interface Stages {
  readonly shape: ConvShape;
  readonly batch: number;
  readonly tiles: number;
  readonly dispatches: readonly Dispatch[];
}

/** The three kernels of one convolution, over all tiles or over every second one. */
function stages(tensors: Tensors, scale: Scale, listed: boolean): Stages {
  const shape = layerShape(scale);
  const { transformed, product } = winogradScratch(shape, 1);
  const batch = convBatch(scale, shape, Math.max(transformed, product));
  const all = tilesOf(shape, batch);
  const list = everySecond(all);
  const places = listed
    ? { list: tensors.upload('places', list), count: list.length - 1 }
    : undefined;
  const tiles = places?.count ?? all;
  const scratch = winogradScratch(shape, batch, tiles);
  const { sizes: _, weights: __, ...own } = convTensors(tensors, shape, 'f32', batch);
  const dispatches = winogradConv({
    label: 'conv',
    shape,
    batch,
    ...own,
    filters: tensors.take('filters', winogradFilterBytes(shape)),
    transformed: tensors.take('transformed', scratch.transformed),
    product: tensors.take('product', scratch.product),
    places,
  });
  return { shape, batch, tiles, dispatches };
}

function stage(
  name: string,
  index: 0 | 1 | 2,
  listed: boolean,
  cost: (shape: ConvShape, tiles: number) => { flop: number; bytes: number },
): Subject {
  return {
    name,
    group,
    record(tensors, scale) {
      const { shape, batch, tiles, dispatches } = stages(tensors, scale, listed);
      return { run: [dispatches[index] as Dispatch], batch, ...cost(shape, tiles) };
    },
  };
}

const input = ({ inChannels }: ConvShape, tiles: number) => ({
  flop: INPUT_FLOP * inChannels * tiles,
  bytes: bytesOf((16 + 36) * inChannels * tiles),
});
const product = ({ inChannels, outChannels }: ConvShape, tiles: number) => ({
  flop: 2 * 36 * inChannels * outChannels * tiles,
  bytes: bytesOf(36 * (inChannels * outChannels + (inChannels + outChannels) * tiles)),
});
const output = ({ outChannels }: ConvShape, tiles: number) => ({
  flop: OUTPUT_FLOP * outChannels * tiles,
  bytes: bytesOf((36 + 16) * outChannels * tiles),
});

const filters = (['f32', 'f16'] as const).map(
  (dtype): Subject => ({
    name: `winograd_filters_${dtype}`,
    group,
    record(tensors, scale) {
      const shape = layerShape(scale);
      const { weights, sizes } = convTensors(tensors, shape, dtype, 1);
      const size = winogradFilterBytes(shape);
      return {
        run: [
          winogradFilters({
            label: 'filters',
            shape,
            dtype,
            weights,
            filters: tensors.take('filters', size),
          }),
        ],
        flop: (FILTER_FLOP * shape.inChannels * shape.outChannels) / 4,
        bytes: sizes.weights + size,
      };
    },
  }),
);

/** The way back needs filters turned round. */
const turned = [
  ...(['f32', 'f16'] as const).map(
    (dtype): Subject => ({
      name: `turn_filters_${dtype}`,
      group: 'backward',
      record(tensors, scale) {
        const shape = layerShape(scale);
        const { weights, sizes } = convTensors(tensors, shape, dtype, 1);
        const size = turnedBytes(shape);
        const own = tensors.take('turned', size);
        return {
          run: [turnFilters({ label: 'turned', shape, dtype, weights, turned: own })],
          flop: 0,
          bytes: sizes.weights + bytesOf(sizes.weights / WEIGHT_BYTES[dtype]),
        };
      },
    }),
  ),
  {
    name: 'turn_winograd_filters',
    group: 'backward',
    record(tensors, scale) {
      const shape = layerShape(scale);
      const size = winogradFilterBytes(shape);
      return {
        run: [
          turnWinogradFilters({
            label: 'turned',
            shape,
            filters: tensors.take('filters', size),
            turned: tensors.take('turned', size),
          }),
        ],
        flop: 0,
        bytes: 2 * size,
      };
    },
  } satisfies Subject,
];

export const winogradSubjects: readonly Subject[] = [
  ...filters,
  stage('winograd_input', 0, false, input),
  stage('winograd_product', 1, false, product),
  stage('winograd_output', 2, false, output),
  stage('winograd_input_listed', 0, true, input),
  stage('winograd_output_listed', 2, true, output),
  ...turned,
];
