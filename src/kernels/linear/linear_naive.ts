import type { Dispatch } from '../../gpu/kernel';
import { checkedWorkgroups } from '../../gpu/workgroups';
import { activationConstants } from '../../numbers/activation';
import { ceilDiv } from '../../numbers/padding';
import { family } from '../family';
import type { VARIANTS } from '../variants';
import type { LinearArgs } from './linear';
import source from './linear_naive.wgsl';

const kernels = family<typeof VARIANTS.linear_naive>(source);

/** What `linear` computes, as it is defined: one invocation an output. */
export function linearNaive(args: LinearArgs): Dispatch {
  const { label, dtype, batch, shardOutputs, input, weights, affine, output } = args;
  return {
    kernel: kernels.pick({ weights: dtype }),
    label,
    constants: {
      IN_FEATURES: args.inFeatures,
      OUT_FEATURES: args.outFeatures,
      ...activationConstants(args.activation),
    },
    params: {
      batch,
      first_output: args.firstOutput,
      shard_outputs: shardOutputs,
      activation: args.activation,
    },
    buffers: { input, weights, affine, output },
    workgroups: checkedWorkgroups(label, [ceilDiv(shardOutputs, 64), batch, 1]),
  };
}
