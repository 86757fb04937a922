import type { ConvShape } from '../kernels/convolution/conv_kernel';
import { filterBytes } from '../kernels/winograd/transformed';
import {
  outStride,
  PRODUCTS,
  sliceOf,
  tilesOf,
  winogradScratch,
} from '../kernels/winograd/winograd';
import { fusedCover, HALF_BLOCK } from '../kernels/winograd/winograd_fused';
import { STORED_BYTES } from '../numbers/dtypes';
import { ceilDiv, roundUp } from '../numbers/padding';
import type { ConvMethod } from './conv_choice';

import type { Traffic, Work } from './cost';

/** Operations of the transforms of a tile and channel, as their kernels' headers say. */
const TRANSFORM = { input: 250, output: 150 } as const;

/** The kernels of a convolution of so many images, in order; pooling is part of it. */
export function convWork(shape: ConvShape, method: ConvMethod, images: number): Work[] {
  const { inChannels, outChannels, height, width, kernel, pool } = shape;
  const pixels = 4 * images * height * width;
  const input = pixels * inChannels;
  const output = (pixels * outChannels) / (pool ? 4 : 1);
  // One layer leaves what the next reads.
  const ends = (bytes: number): Traffic => ({ bytes, held: input + output });
  if (method.kind === 'direct') {
    const weights = inChannels * outChannels * kernel ** 2;
    const flop = (pixels * weights) / 2;
    const traffic = [ends(input + output), { bytes: 4 * weights }];
    return [{ kernel: `conv_${method.tiling}`, flop, traffic, dispatches: 1 }];
  }
  const tiles = tilesOf(shape, images);
  const filters = filterBytes(shape, method);
  if (method.kind !== 'winograd') {
    const isF2 = method.kind === 'fused';
    const cover = fusedCover(method.kind, shape);
    // F(2x2) has four tiles of 16 products in each of F(4x4)'s, which has 144 multiply-adds more for each 36 x 32: those of
    // its input transform, which are a ninth of the loop's, and counted in its share.
    const each = isF2 ? 16 * 4 : PRODUCTS + 144 / 32;
    const products = isF2 && method.products ? '_products' : '';
    const summed = products ? roundUp(cover.inChannels, HALF_BLOCK) : cover.inChannels;
    const flop = 2 * each * tiles * summed * cover.outChannels;
    const again = { bytes: filters * (ceilDiv(tiles, cover.together) - 1), held: filters };
    const traffic = [ends(input + output), { bytes: filters }, again];
    const kernel = isF2 ? `winograd_fused${products}` : 'winograd_4x4_fused';
    return [{ kernel, flop, traffic, dispatches: 1 }];
  }
  const dispatches = ceilDiv(tiles, sliceOf(shape, tiles, method));
  const scratch = winogradScratch(shape, images, undefined, method);
  const held = scratch.transformed + scratch.product;
  const column = STORED_BYTES[method.precision] * PRODUCTS * tiles;
  const v = { bytes: column * inChannels, held };
  const m = { bytes: column * outStride(shape), held };
  return [
    {
      kernel: 'winograd_input',
      flop: TRANSFORM.input * inChannels * tiles,
      traffic: [ends(input), v],
      dispatches,
    },
    {
      kernel: `winograd_product_${method.product}`,
      flop: 2 * PRODUCTS * inChannels * outStride(shape) * tiles,
      traffic: [
        { bytes: filters },
        { bytes: filters * (dispatches - 1), held: held + filters },
        v,
        m,
      ],
      dispatches,
    },
    {
      kernel: 'winograd_output',
      flop: TRANSFORM.output * outChannels * tiles,
      traffic: [m, ends(output)],
      dispatches,
    },
  ];
}
