import type { Slice } from '../../../src/gpu/kernel';
import { type ConvShape, maskedTile, packConv } from '../../../src/kernels/convolution/conv';
import { outputSize } from '../../../src/kernels/convolution/conv_kernel';
import { tileGrid } from '../../../src/kernels/shared/tile_grid';
import { type ConvDtype, WEIGHT_BYTES } from '../../../src/numbers/dtypes';
import {
  type AnyConvTiling,
  type AnyMaskedTiling,
  anyConv,
  anyMaskedConv,
} from '../../ladder/naive';
import { batchFor, type Scale } from '../scale';
import { bytesOf, everySecond, type Subject, type Tensors, values } from './subject';

const MASKED_TILINGS: readonly AnyMaskedTiling[] = ['naive', 'registers', 'workgroup'];
const TILINGS: readonly AnyConvTiling[] = MASKED_TILINGS;
const DTYPES: readonly ConvDtype[] = ['f32', 'f16'];

/** conv3_2 of VGG-16, or a sixteenth of it. */
export function layerShape({ small }: Pick<Scale, 'small'>): ConvShape {
  const channels = small ? 64 : 256;
  return {
    inChannels: channels,
    outChannels: channels,
    height: 56,
    width: 56,
    kernel: 3,
    activation: 0,
    pool: false,
  };
}

/** conv1_1 of VGG-16. */
export const FIRST: ConvShape = {
  inChannels: 3,
  outChannels: 64,
  height: 224,
  width: 224,
  kernel: 3,
  activation: 0,
  pool: false,
};
/** Height and width of its maps. */
export const MAP = 14;

export function convFlop({ inChannels, outChannels, height, width, kernel }: ConvShape): number {
  return 2 * inChannels * outChannels * height * width * kernel ** 2;
}

export interface ConvTensors {
  readonly input: Slice;
  readonly weights: Slice;
  readonly bias: Slice;
  readonly output: Slice;
  /** Of one image's input and output, and of all weights. */
  readonly sizes: { readonly input: number; readonly output: number; readonly weights: number };
}

/** Tensors of a convolution; `images` differs from the batch where all share one image. */
export function convTensors(
  tensors: Tensors,
  shape: ConvShape,
  dtype: ConvDtype,
  batch: number,
  images = batch,
): ConvTensors {
  const { inChannels, outChannels, kernel } = shape;
  const sizes = sizesOf(shape, dtype);
  const raw = values(inChannels * outChannels * kernel ** 2);
  const packed = packConv(raw, new Float32Array(outChannels), shape, dtype);
  return {
    input: tensors.upload('input', values((images * sizes.input) / 4)),
    weights: tensors.upload('weights', packed.weights),
    bias: tensors.upload('bias', packed.bias),
    output: tensors.take('output', batch * sizes.output),
    sizes,
  };
}

function sizesOf(shape: ConvShape, dtype: ConvDtype): ConvTensors['sizes'] {
  const { inChannels, outChannels, height, width, kernel } = shape;
  const size = outputSize(shape);
  return {
    input: bytesOf(inChannels * height * width),
    output: bytesOf(outChannels * size.height * size.width),
    weights: WEIGHT_BYTES[dtype] * inChannels * outChannels * kernel ** 2,
  };
}

/** @param scratch bytes of the largest intermediate tensor of one image */
export function convBatch(scale: Scale, shape: ConvShape, scratch = 0): number {
  const { input, output } = sizesOf(shape, 'f32');
  const largest = Math.max(input, output, scratch);
  return batchFor(scale, { flop: convFlop(shape), bytes: input + output, largest });
}

const convolutions = TILINGS.flatMap((tiling) =>
  DTYPES.map(
    (dtype): Subject => ({
      name: `conv_${tiling}_${dtype}`,
      group: 'convolution 3x3',
      record(tensors, scale) {
        const shape = layerShape(scale);
        const batch = convBatch(scale, shape);
        const { sizes, ...own } = convTensors(tensors, shape, dtype, batch);
        return {
          run: [anyConv(tiling, { label: 'conv', shape, dtype, batch, ...own })],
          batch,
          flop: batch * convFlop(shape),
          bytes: batch * (sizes.input + sizes.output) + sizes.weights,
        };
      },
    }),
  ),
);

/** The first layer without masks, which is not among the kernels above: 3 channels change everything. */
const plainFirst = TILINGS.map(
  (tiling): Subject => ({
    name: `plain, ${tiling}`,
    group: 'first layer',
    record(tensors, scale) {
      const batch = convBatch(scale, FIRST);
      const { sizes, ...own } = convTensors(tensors, FIRST, 'f32', batch);
      return {
        run: [anyConv(tiling, { label: 'conv1_1', shape: FIRST, dtype: 'f32', batch, ...own })],
        batch,
        flop: batch * convFlop(FIRST),
        bytes: batch * (sizes.input + sizes.output) + sizes.weights,
      };
    },
  }),
);

/** @param listed computes every second patch of those there are */
function maskedFirst(
  name: string,
  tiling: AnyMaskedTiling,
  dtype: ConvDtype,
  listed = false,
): Subject {
  return {
    name,
    group: 'first layer',
    record(tensors, scale) {
      const batch = convBatch(scale, FIRST);
      const { sizes, input: image, ...own } = convTensors(tensors, FIRST, dtype, batch, 1);
      const tile = listed && tiling !== 'naive' ? maskedTile(tiling, FIRST) : undefined;
      const { down, across } = tileGrid(FIRST, tile ?? FIRST);
      const list = everySecond(batch * down * across);
      const count = list.length;
      const places = tile ? { list: tensors.upload('places', list), count } : undefined;
      const share = places ? count / (batch * down * across) : 1;
      return {
        run: [
          anyMaskedConv(tiling, {
            label: 'conv1_1',
            shape: FIRST,
            dtype,
            batch,
            ...own,
            firstMask: 0,
            image,
            maps: tensors.upload('maps', values(batch * MAP * MAP)),
            mapHeight: MAP,
            mapWidth: MAP,
            ranges: tensors.upload('ranges', alternating(batch)),
            channels: tensors.upload(
              'channels',
              Uint32Array.from({ length: batch }, (_, i) => i),
            ),
            alignCorners: false,
            places,
          }),
        ],
        batch,
        // Those of the convolution: the mask's own are few and differ from tiling to tiling.
        flop: share * batch * convFlop(FIRST),
        bytes:
          sizes.input +
          share * batch * sizes.output +
          sizes.weights +
          bytesOf(batch * (MAP * MAP + 3)),
      };
    },
  };
}

/** (-1, 1) for each map. */
export function alternating(count: number): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: 2 * count }, (_, i) => (i % 2 ? 1 : -1));
}

export const convolutionSubjects: readonly Subject[] = convolutions;

export const firstLayerSubjects: readonly Subject[] = [
  ...plainFirst,
  ...MASKED_TILINGS.map((tiling) => maskedFirst(`mask fused, ${tiling}`, tiling, 'f32')),
  ...MASKED_TILINGS.map((tiling) => maskedFirst(`mask fused, ${tiling}, f16`, tiling, 'f16')),
  ...(['registers', 'workgroup'] as const).flatMap((tiling) => [
    maskedFirst(`mask fused, ${tiling}, half the patches`, tiling, 'f32', true),
    maskedFirst(`mask fused, ${tiling}, f16, half the patches`, tiling, 'f16', true),
  ]),
];
