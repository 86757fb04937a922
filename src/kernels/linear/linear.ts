import { ScoreCamError } from '../../errors';
import type { Dispatch, Slice } from '../../gpu/kernel';
import { checkedWorkgroups, workgroupsFor } from '../../gpu/workgroups';
import { activationConstants } from '../../numbers/activation';
import { WEIGHT_BYTES, type WeightDtype } from '../../numbers/dtypes';
import { ceilDiv, roundUp } from '../../numbers/padding';
import { family, only } from '../family';
import { chooseGemmTile, type GemmTile, PRODUCT_TILES, tilesWithin } from '../shared/gemm_tile';
import type { VARIANTS } from '../variants';
import inQuads from './linear_quads.wgsl';
import inRegisters from './linear_registers.wgsl';
import sums from './linear_sums.wgsl';
import inWorkgroups from './linear_workgroup.wgsl';

/** `quads` needs the feature `subgroups`. */
export type LinearTiling = 'registers' | 'quads' | 'workgroup';

const TILINGS = {
  registers: family<typeof VARIANTS.linear_registers>(inRegisters),
  quads: family<typeof VARIANTS.linear_quads>(inQuads),
  workgroup: family<typeof VARIANTS.linear_workgroup>(inWorkgroups),
} as const;

const inSums = only(sums);

export interface LinearArgs {
  readonly label: string;
  readonly dtype: WeightDtype;
  readonly inFeatures: number;
  /** Of the whole layer. */
  readonly outFeatures: number;
  /** First row of this shard. */
  readonly firstOutput: number;
  /** Rows in this shard. */
  readonly shardOutputs: number;
  /** By its code (numbers/activation.ts): 0 is ReLU, 1 none. */
  readonly activation: number;
  readonly batch: number;
  /** [batch, inFeatures] */
  readonly input: Slice;
  /** [shardOutputs, rowStride(inFeatures)] of `dtype`: PyTorch's layout, each row padded with zeros */
  readonly weights: Slice;
  /**
   * [outFeatures] pairs (scale, bias) of the whole layer: output = scale * sum + bias. A scale of 1, which
   * is exact, unless the weights are int8.
   */
  readonly affine: Slice;
  /** [batch, outFeatures], of the whole layer */
  readonly output: Slice;
  /** Of the tiling `quads`: how many a subgroup is. Default 1, which computes the same on larger ones. */
  readonly quads?: number | undefined;
  /** Of the tiling `workgroup`: of a workgroup. Default: what WebGPU's core has, 256. */
  readonly maxInvocations?: number | undefined;
  /** Room for {@link partialSums} numbers. Without it, no output is summed up in parts. */
  readonly partial?: Slice | undefined;
}

/** Length of a row of weights in memory: weights are read four at a time. */
export function rowStride(inFeatures: number): number {
  return 4 * ceilDiv(inFeatures, 4);
}

/** Images one invocation of linear_registers and linear_quads takes. */
function rowsPerInvocation(batch: number): number {
  return batch === 1 ? 1 : batch <= 4 ? 4 : 8;
}

type Sizes = Pick<LinearArgs, 'inFeatures' | 'shardOutputs' | 'batch' | 'maxInvocations'>;

/** Workgroups that keep a large GPU busy, and how much of K each has at least. By counting: not measured on a GPU. */
const ENOUGH_WORKGROUPS = 256;
const LEAST_DEPTH = 256;

/** How linear_workgroup covers a shard: its tile, how often that is put across and down, in how many parts of which depth K. */
export function linearCover({ inFeatures, shardOutputs, batch, maxInvocations }: Sizes) {
  const tile = chooseGemmTile(tilesWithin(PRODUCT_TILES, maxInvocations), batch, shardOutputs);
  const { rows, cols } = tile;
  const [x, y] = [ceilDiv(shardOutputs, 8 * cols), ceilDiv(batch, 8 * rows)];
  const most = Math.min(ceilDiv(ENOUGH_WORKGROUPS, x * y), ceilDiv(inFeatures, LEAST_DEPTH));
  const depth = roundUp(ceilDiv(inFeatures, most), 8);
  return { tile, x, y, depth, parts: ceilDiv(inFeatures, depth) };
}

/** Numbers that sums over parts of K take, where outputs alone are too few workgroups; 0 where they are enough. */
export function partialSums(tiling: LinearTiling, sizes: Sizes): number {
  if (tiling !== 'workgroup') return 0;
  const { parts } = linearCover(sizes);
  return parts > 1 ? parts * sizes.batch * sizes.shardOutputs : 0;
}

/** One row shard of a fully connected layer, with bias and activation. */
export function linear(tiling: LinearTiling, args: LinearArgs): Dispatch[] {
  const { label, dtype, batch, shardOutputs, quads = 1 } = args;
  const constants = {
    IN_FEATURES: args.inFeatures,
    OUT_FEATURES: args.outFeatures,
    ...activationConstants(args.activation),
  };
  const common = {
    label,
    params: {
      batch,
      first_output: args.firstOutput,
      shard_outputs: shardOutputs,
      activation: args.activation,
    },
    buffers: { input: args.input, weights: args.weights, affine: args.affine, output: args.output },
  };
  const workgroups = (outputs: number, rows: number) =>
    checkedWorkgroups(label, [ceilDiv(shardOutputs, outputs), ceilDiv(batch, rows), 1]);
  const rows = rowsPerInvocation(batch);
  switch (tiling) {
    case 'registers':
      return [
        {
          ...common,
          kernel: TILINGS.registers.pick({ weights: dtype }),
          constants: { ...constants, ROWS: rows },
          workgroups: workgroups(8 * 4, 8 * rows),
        },
      ];
    case 'quads':
      return [
        {
          ...common,
          kernel: TILINGS.quads.pick({ weights: dtype }),
          constants: { ...constants, ROWS: rows, LANES: 4 * quads },
          workgroups: workgroups(4 * 4 * quads, rows),
        },
      ];
    case 'workgroup': {
      const { partial } = args;
      const cover = linearCover(args);
      return partial && cover.parts > 1
        ? inParts(args, partial, cover)
        : [
            {
              ...common,
              params: { ...common.params, depth: args.inFeatures },
              kernel: TILINGS.workgroup.pick({ ends: 'plain', weights: dtype }),
              constants: { ...constants, ROWS: cover.tile.rows, COLS: cover.tile.cols },
              workgroups: checkedWorkgroups(label, [cover.x, cover.y, 1]),
            },
          ];
    }
  }
}

/** K in parts, each in workgroups of its own, and their sums. */
function inParts(
  args: LinearArgs,
  partial: Slice,
  { tile, x, y, depth, parts }: ReturnType<typeof linearCover>,
): Dispatch[] {
  const { label, batch, firstOutput, shardOutputs, activation, affine, output } = args;
  const { rows, cols }: GemmTile = tile;
  return [
    {
      label,
      kernel: TILINGS.workgroup.pick({ ends: 'partial', weights: args.dtype }),
      constants: { IN_FEATURES: args.inFeatures, ROWS: rows, COLS: cols },
      params: {
        batch,
        first_output: firstOutput,
        shard_outputs: shardOutputs,
        activation,
        depth,
      },
      buffers: { input: args.input, weights: args.weights, output: partial },
      workgroups: checkedWorkgroups(label, [x, y, parts]),
    },
    {
      label,
      kernel: inSums,
      constants: { OUT_FEATURES: args.outFeatures, ...activationConstants(activation) },
      params: { batch, first_output: firstOutput, shard_outputs: shardOutputs, parts, activation },
      buffers: { partial_sums: partial, affine, output },
      workgroups: workgroupsFor(label, batch * shardOutputs, 64),
    },
  ];
}

/**
 * The rows of a weight matrix in as few shards as fit a binding, as equal as whole rows allow.
 * @throws ScoreCamError `limit` when not even one row fits
 */
export function shardRows(
  inFeatures: number,
  outFeatures: number,
  maxBindingBytes: number,
  dtype: WeightDtype,
): { firstOutput: number; outputs: number }[] {
  const rowBytes = WEIGHT_BYTES[dtype] * rowStride(inFeatures);
  const rowsThatFit = Math.floor(maxBindingBytes / rowBytes);
  if (rowsThatFit < 1) {
    throw new ScoreCamError(
      'limit',
      `One row of a fully connected layer with ${inFeatures} inputs needs ${rowBytes} bytes in ${dtype}, ` +
        `this device binds up to ${maxBindingBytes} (maxStorageBufferBindingSize).`,
    );
  }
  const count = ceilDiv(outFeatures, rowsThatFit);
  const start = (shard: number): number => Math.floor((shard * outFeatures) / count);
  return Array.from({ length: count }, (_, shard) => ({
    firstOutput: start(shard),
    outputs: start(shard + 1) - start(shard),
  }));
}
