import { ScoreCamError } from '../../errors';
import type { Dispatch, Slice } from '../../gpu/kernel';
import { checkedWorkgroups } from '../../gpu/workgroups';
import { curveOf } from '../../numbers/activation';
import { WEIGHT_BYTES, type WeightDtype } from '../../numbers/dtypes';
import { ceilDiv } from '../../numbers/padding';
import { family } from '../family';
import type { VARIANTS } from '../variants';
import inQuads from './linear_quads.wgsl';
import inRegisters from './linear_registers.wgsl';
import inWorkgroups from './linear_workgroup.wgsl';

/** `quads` needs the feature `subgroups`. */
export type LinearTiling = 'registers' | 'quads' | 'workgroup';

const TILINGS = {
  registers: family<typeof VARIANTS.linear_registers>(inRegisters),
  quads: family<typeof VARIANTS.linear_quads>(inQuads),
  workgroup: family<typeof VARIANTS.linear_workgroup>(inWorkgroups),
} as const;

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
}

/** Length of a row of weights in memory: weights are read four at a time. */
export function rowStride(inFeatures: number): number {
  return 4 * ceilDiv(inFeatures, 4);
}

/** Images one invocation of linear_registers and linear_quads takes. */
function rowsPerInvocation(batch: number): number {
  return batch === 1 ? 1 : batch <= 4 ? 4 : 8;
}

/** One row shard of a fully connected layer, with bias and activation. */
export function linear(tiling: LinearTiling, args: LinearArgs): Dispatch {
  const { label, dtype, batch, shardOutputs, quads = 1 } = args;
  const constants = {
    IN_FEATURES: args.inFeatures,
    OUT_FEATURES: args.outFeatures,
    CURVE: curveOf(args.activation),
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
  switch (tiling) {
    case 'registers': {
      const rows = rowsPerInvocation(batch);
      return {
        ...common,
        kernel: TILINGS.registers.pick({ weights: dtype }),
        constants: { ...constants, ROWS: rows },
        workgroups: workgroups(8 * 4, 8 * rows),
      };
    }
    case 'quads': {
      const rows = rowsPerInvocation(batch);
      return {
        ...common,
        kernel: TILINGS.quads.pick({ weights: dtype }),
        constants: { ...constants, ROWS: rows, LANES: 4 * quads },
        workgroups: workgroups(4 * 4 * quads, rows),
      };
    }
    case 'workgroup':
      return {
        ...common,
        kernel: TILINGS.workgroup.pick({ weights: dtype }),
        constants,
        workgroups: workgroups(32, 32),
      };
  }
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
