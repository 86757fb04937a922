import type { Dispatch, Slice } from '../../gpu/kernel';
import { checkedWorkgroups } from '../../gpu/workgroups';
import type { WeightDtype } from '../../numbers/dtypes';
import { ceilDiv } from '../../numbers/padding';
import { family } from '../family';
import type { VARIANTS } from '../variants';
import { rowStride } from './linear';
import source from './linear_backward.wgsl';

const kernels = family<typeof VARIANTS.linear_backward>(source);

export interface LinearBackwardArgs {
  readonly label: string;
  readonly dtype: WeightDtype;
  readonly inFeatures: number;
  /** Of the whole layer. */
  readonly outFeatures: number;
  /** First row of this shard. */
  readonly firstOutput: number;
  /** Rows in this shard. */
  readonly shardOutputs: number;
  readonly batch: number;
  /** Adds to what `result` holds: for every shard but the first. */
  readonly accumulate: boolean;
  /** [batch, outFeatures] gradient before the layer's activation */
  readonly gradient: Slice;
  /** [shardOutputs, rowStride(inFeatures)], as the forward kernel reads them */
  readonly weights: Slice;
  /** [outFeatures] pairs (scale, bias) of the whole layer */
  readonly affine: Slice;
  /** [batch, inFeatures] gradient with respect to the layer's input */
  readonly result: Slice;
}

/** Back through one row shard of a fully connected layer: its share of gradient^T W. */
export function linearBackward(args: LinearBackwardArgs): Dispatch {
  const { label, inFeatures, batch, gradient, weights, affine, result } = args;
  return {
    kernel: kernels.pick({ weights: args.dtype }),
    label,
    constants: { IN_FEATURES: inFeatures, OUT_FEATURES: args.outFeatures },
    params: {
      batch,
      first_output: args.firstOutput,
      shard_outputs: args.shardOutputs,
      accumulate: Number(args.accumulate),
    },
    buffers: { gradient, weights, affine, result },
    workgroups: checkedWorkgroups(label, [ceilDiv(rowStride(inFeatures) / 4, 64), batch, 1]),
  };
}
