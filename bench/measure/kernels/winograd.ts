import type { Dispatch } from '../../../src/gpu/kernel';
import type { ConvShape } from '../../../src/kernels/convolution/conv';
import { turnedBytes, turnFilters } from '../../../src/kernels/convolution/turn_filters';
import { turnWinogradFilters } from '../../../src/kernels/winograd/turn_winograd_filters';
import {
  sliceOf,
  tilesOf,
  type WinogradForm,
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
const FLOP = {
  4: { input: 250, output: 150, filters: 4 * 140 },
  2: { input: 32, output: 24, filters: 4 * 28 },
} as const;

interface Stages {
  readonly shape: ConvShape;
  readonly batch: number;
  readonly tiles: number;
  readonly dispatches: readonly Dispatch[];
}

const groupOf = ({ tile }: WinogradForm): string => `Winograd F(${tile}x${tile}, 3x3)`;
const needsOf = ({ precision, product }: WinogradForm): { needs?: GPUFeatureName } => {
  if (precision === 'f16') return { needs: 'shader-f16' };
  return product === 'quads' ? { needs: 'subgroups' } : {};
};

/** The three kernels of one convolution, over all tiles or over every second one. */
function stages(tensors: Tensors, scale: Scale, form: WinogradForm, listed: boolean): Stages {
  const shape = layerShape(scale);
  const { transformed, product } = winogradScratch(shape, 1, undefined, form);
  const batch = convBatch(scale, shape, Math.max(transformed, product));
  const all = tilesOf(shape, batch, form.tile);
  const list = everySecond(all);
  const places = listed ? { list: tensors.upload('places', list), count: list.length } : undefined;
  const tiles = places?.count ?? all;
  const scratch = winogradScratch(shape, batch, tiles, form);
  const { sizes: _, weights: __, ...own } = convTensors(tensors, shape, 'f32', batch);
  const dispatches = winogradConv({
    label: 'conv',
    shape,
    batch,
    ...own,
    filters: tensors.take('filters', winogradFilterBytes(shape, form)),
    transformed: tensors.take('transformed', scratch.transformed),
    product: tensors.take('product', scratch.product),
    places,
    form,
  });
  return { shape, batch, tiles: Math.min(tiles, sliceOf(shape, tiles, form)), dispatches };
}

const STAGES = ['input', 'product', 'output'] as const;

/** One of the three kernels; of a convolution in slices, the first slice. */
function stage(form: WinogradForm, which: (typeof STAGES)[number], listed = false): Subject {
  return {
    name: `${named(form, which)}${listed ? '_listed' : ''}`,
    group: groupOf(form),
    ...needsOf(form),
    record(tensors, scale) {
      const own = form.product === 'quads' ? { ...form, quads: scale.quads } : form;
      const { shape, batch, tiles, dispatches } = stages(tensors, scale, own, listed);
      const dispatch = dispatches[STAGES.indexOf(which)] as Dispatch;
      return { run: [dispatch], batch, ...cost(form, which, shape, tiles) };
    },
  };
}

function named({ tile, precision, product }: WinogradForm, which: string): string {
  const half = precision === 'f16' ? '_half' : '';
  if (which !== 'product') return `winograd${tile === 2 ? '2' : ''}_${which}${half}`;
  const products = (tile + 2) ** 2;
  return `winograd_product${product === 'registers' ? '' : `_${product}`}${half}, ${products}`;
}

function cost(
  { tile, precision }: WinogradForm,
  which: (typeof STAGES)[number],
  { inChannels, outChannels }: ConvShape,
  tiles: number,
): { flop: number; bytes: number } {
  const products = (tile + 2) ** 2;
  const stored = STORED_BYTES[precision];
  const transform = (channels: number, flop: number) => ({
    flop: flop * channels * tiles,
    bytes: (4 * tile ** 2 + stored * products) * channels * tiles,
  });
  if (which === 'input') return transform(inChannels, FLOP[tile].input);
  if (which === 'output') return transform(outChannels, FLOP[tile].output);
  return {
    flop: 2 * products * inChannels * outChannels * tiles,
    bytes: stored * products * (inChannels * outChannels + (inChannels + outChannels) * tiles),
  };
}

const FORMS: readonly WinogradForm[] = ([4, 2] as const).flatMap((tile) =>
  (['f32', 'f16'] as const).flatMap((precision) =>
    (['registers', 'quads', 'workgroup'] as const)
      .filter((product) => product !== 'quads' || precision === 'f32')
      .map((product) => ({ tile, precision, product })),
  ),
);
/** The transforms do not depend on how the product is computed. */
const TRANSFORMS = FORMS.filter(({ product }) => product === 'registers');

const filters = TRANSFORMS.flatMap((form) =>
  (['f32', 'f16'] as const).map(
    (dtype): Subject => ({
      name: `${named(form, 'filters')}_${dtype}`,
      group: groupOf(form),
      ...needsOf(form),
      record(tensors, scale) {
        const shape = layerShape(scale);
        const { weights, sizes } = convTensors(tensors, shape, dtype, 1);
        const size = winogradFilterBytes(shape, form);
        const own = tensors.take('filters', size);
        return {
          run: [winogradFilters({ label: 'filters', shape, dtype, weights, filters: own, form })],
          flop: (FLOP[form.tile].filters * shape.inChannels * shape.outChannels) / 4,
          bytes: sizes.weights + size,
        };
      },
    }),
  ),
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

const transforms = (listed: boolean) =>
  TRANSFORMS.filter(({ tile }) => tile === 4 || !listed).flatMap((form) => [
    stage(form, 'input', listed),
    stage(form, 'output', listed),
  ]);

export const winogradSubjects: readonly Subject[] = [
  ...filters,
  ...transforms(false),
  ...transforms(true),
  ...FORMS.map((form) => stage(form, 'product')),
  ...turned,
];
