import { MORE, type WorkgroupRule } from '../../gpu/workgroups';
import { ceilDiv } from '../../numbers/padding';
import { family } from '../family';
import type { Size } from '../shared/tile_grid';
import type { VARIANTS } from '../variants';
import type { ConvShape, MaskedConv } from './conv_kernel';
import source from './masked_conv_workgroup.wgsl';

/** Of the image, that a workgroup's memory has room for: as many as an image has. */
const MOST_DEPTH = 3;

/** A workgroup's groups of 8 output channels, and invocations over its patch, of 2 x 4 pixels each. */
interface Tile {
  readonly groups: number;
  readonly high: number;
  readonly wide: number;
}

/** For more than so many output channels; 128 invocations, but for the least of them. */
const TILES: readonly (Tile & { readonly above: number })[] = [
  { above: 32, groups: 8, high: 4, wide: 4 },
  { above: 16, groups: 4, high: 8, wide: 4 },
  { above: 8, groups: 2, high: 8, wide: 8 },
  { above: 0, groups: 1, high: 8, wide: 8 },
];

type Channels = Pick<ConvShape, 'inChannels' | 'outChannels'>;

function tileOf({ outChannels }: Pick<ConvShape, 'outChannels'>): Tile {
  const { groups, high, wide } = TILES.find(({ above }) => outChannels > above) as Tile;
  return { groups, high, wide };
}

/** Everything that the kernel may be specialised for. */
export const MASKED_TILES = TILES.flatMap(({ groups, high, wide }) =>
  Array.from({ length: MOST_DEPTH }, (_, i) => ({ groups, high, wide, depth: i + 1 })),
);

const kernels = family<typeof VARIANTS.masked_conv_workgroup>(source);

/** Pixels of a workgroup's patch. */
function maskedPatch(shape: Channels): Size {
  const { high, wide } = tileOf(shape);
  return { height: 2 * high, width: 4 * wide };
}

/** A patch is a workgroup, and several where it has more output channels than one computes. */
const maskedPatchRule = (shape: Channels): WorkgroupRule => ({
  together: 1,
  items: 1,
  size: 1,
  y: ceilDiv(shape.outChannels, 8 * tileOf(shape).groups),
  z: MORE,
});

/** Masked pixels in workgroup memory, the mask evaluated once a patch: for GPUs. */
export const maskedConvWorkgroup: MaskedConv = {
  kernel: kernels.pick,
  patch: maskedPatch,
  rule: maskedPatchRule,
  values: (shape) => ({ ...tileOf(shape), depth: Math.min(shape.inChannels, MOST_DEPTH) }),
};
