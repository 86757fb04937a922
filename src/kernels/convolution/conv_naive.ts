import type { Dispatch } from '../../gpu/kernel';
import { checkedWorkgroups } from '../../gpu/workgroups';
import { ceilDiv } from '../../numbers/padding';
import { family } from '../family';
import type { VARIANTS } from '../variants';
import type { ConvArgs, ConvShape } from './conv';
import { convValues, outputSize } from './conv_kernel';
import source from './conv_naive.wgsl';

const kernels = family<typeof VARIANTS.conv_naive>(source);

/** Workgroups of 64 outputs of one channel of one image. */
export function naiveWorkgroups(
  label: string,
  shape: ConvShape,
  batch: number,
): [number, number, number] {
  const { height, width } = outputSize(shape);
  return checkedWorkgroups(label, [ceilDiv(height * width, 64), shape.outChannels, batch]);
}

/** What `conv` computes, as it is defined: one invocation an output. */
export function convNaive({ label, shape, dtype, batch, ...args }: ConvArgs): Dispatch {
  const { input, weights, bias, output } = args;
  return {
    ...convValues(kernels.pick({ weights: dtype }), shape, {}),
    label,
    buffers: { input, weights, bias, output },
    workgroups: naiveWorkgroups(label, shape, batch),
  };
}
