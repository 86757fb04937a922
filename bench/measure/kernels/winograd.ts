import type { Dispatch } from '../../../src/gpu/kernel';
import type { ConvShape } from '../../../src/kernels/convolution/conv';
import { turnedBytes, turnFilters } from '../../../src/kernels/convolution/turn_filters';
import {
  PRODUCTS,
  sliceOf,
  TILE,
  tilesOf,
  type WinogradMethod,
  winogradConv,
  winogradFilterBytes,
  winogradFilters,
  winogradScratch,
} from '../../../src/kernels/winograd/winograd';
import { STORED_BYTES, WEIGHT_BYTES } from '../../../src/numbers/dtypes';
import type { Scale } from '../scale';
import { convBatch, convTensors, layerShape } from './convolutions';
import { bytesOf, everySecond, type Subject, type Tensors } from './subject';

/** Operations of the transforms, as their headers say: a tile and channel, or four filters of one channel. */
const FLOP = { input: 250, output: 150, filters: 4 * 140 } as const;

interface Stages {
  readonly shape: ConvShape;
  readonly batch: number;
  readonly tiles: number;
  readonly dispatches: readonly Dispatch[];
}

const GROUP = 'Winograd F(4x4, 3x3)';
const needsOf = ({ precision, product }: WinogradMethod): { needs?: GPUFeatureName } => {
  if (precision === 'f16') return { needs: 'shader-f16' };
  return product === 'quads' ? { needs: 'subgroups' } : {};
};

/** The three kernels of one convolution, over all tiles or over every second one. */
function stages(tensors: Tensors, scale: Scale, method: WinogradMethod, listed: boolean): Stages {
  const shape = layerShape(scale);
  const { transformed, product } = winogradScratch(shape, 1, undefined, method);
  const batch = convBatch(scale, shape, Math.max(transformed, product));
  const all = tilesOf(shape, batch);
  const list = everySecond(all);
  const places = listed ? { list: tensors.upload('places', list), count: list.length } : undefined;
  const tiles = places?.count ?? all;
  const scratch = winogradScratch(shape, batch, tiles, method);
  const { sizes: _, weights: __, ...own } = convTensors(tensors, shape, 'f32', batch);
  const dispatches = winogradConv({
    label: 'conv',
    shape,
    batch,
    ...own,
    filters: tensors.take('filters', winogradFilterBytes(shape, method)),
    transformed: tensors.take('transformed', scratch.transformed),
    product: tensors.take('product', scratch.product),
    places,
    method,
  });
  return { shape, batch, tiles: Math.min(tiles, sliceOf(shape, tiles, method)), dispatches };
}

const STAGES = ['input', 'product', 'output'] as const;

/** One of the three kernels; of a convolution in slices, the first slice. */
function stage(method: WinogradMethod, which: (typeof STAGES)[number], listed = false): Subject {
  return {
    name: `${named(method, which)}${listed ? '_listed' : ''}`,
    group: GROUP,
    ...needsOf(method),
    record(tensors, scale) {
      const own = method.product === 'quads' ? { ...method, quads: scale.quads } : method;
      const { shape, batch, tiles, dispatches } = stages(tensors, scale, own, listed);
      const dispatch = dispatches[STAGES.indexOf(which)] as Dispatch;
      return { run: [dispatch], batch, ...cost(method, which, shape, tiles) };
    },
  };
}

function named({ precision, product }: WinogradMethod, which: string): string {
  const half = precision === 'f16' ? '_half' : '';
  if (which !== 'product') return `winograd_${which}${half}`;
  return `winograd_product${product === 'registers' ? '' : `_${product}`}${half}, ${PRODUCTS}`;
}

function cost(
  { precision }: WinogradMethod,
  which: (typeof STAGES)[number],
  { inChannels, outChannels }: ConvShape,
  tiles: number,
): { flop: number; bytes: number } {
  const stored = STORED_BYTES[precision];
  const transform = (channels: number, flop: number) => ({
    flop: flop * channels * tiles,
    bytes: (4 * TILE ** 2 + stored * PRODUCTS) * channels * tiles,
  });
  if (which === 'input') return transform(inChannels, FLOP.input);
  if (which === 'output') return transform(outChannels, FLOP.output);
  return {
    flop: 2 * PRODUCTS * inChannels * outChannels * tiles,
    bytes: stored * PRODUCTS * (inChannels * outChannels + (inChannels + outChannels) * tiles),
  };
}

const METHODS: readonly WinogradMethod[] = (['f32', 'f16'] as const).flatMap((precision) =>
  (['registers', 'quads', 'workgroup'] as const)
    .filter((product) => product !== 'quads' || precision === 'f32')
    .map((product) => ({ precision, product })),
);
/** The transforms do not depend on how the product is computed. */
const TRANSFORMS = METHODS.filter(({ product }) => product === 'registers');

const filters = TRANSFORMS.flatMap((method) =>
  (['f32', 'f16'] as const).map(
    (dtype): Subject => ({
      name: `${named(method, 'filters')}_${dtype}`,
      group: GROUP,
      ...needsOf(method),
      record(tensors, scale) {
        const shape = layerShape(scale);
        const { weights, sizes } = convTensors(tensors, shape, dtype, 1);
        const size = winogradFilterBytes(shape, method);
        const own = tensors.take('filters', size);
        return {
          run: [
            winogradFilters({
              label: 'filters',
              shape,
              dtype,
              weights,
              filters: own,
              precision: method.precision,
            }),
          ],
          flop: (FLOP.filters * shape.inChannels * shape.outChannels) / 4,
          bytes: sizes.weights + size,
        };
      },
    }),
  ),
);

/** The way back needs filters turned round. */
const turned = (['f32', 'f16'] as const).map(
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
);

const transforms = (listed: boolean) =>
  TRANSFORMS.flatMap((method) => [stage(method, 'input', listed), stage(method, 'output', listed)]);

export const winogradSubjects: readonly Subject[] = [
  ...filters,
  ...transforms(false),
  ...transforms(true),
  ...METHODS.map((method) => stage(method, 'product')),
  ...turned,
];
