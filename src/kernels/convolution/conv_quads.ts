import { workgroupsFor } from '../../gpu/workgroups';
import { ceilDiv } from '../../numbers/padding';
import { family } from '../family';
import type { VARIANTS } from '../variants';
import type { PlainConv } from './conv_kernel';
import source from './conv_quads.wgsl';

const kernels = family<typeof VARIANTS.conv_quads>(source);

/** 1x1 without pooling, in registers shared by four invocations: needs the feature `subgroups`. */
export const convQuads: PlainConv = {
  kernel: (weights, ends) => kernels.pick({ ends, weights }),
  cover: (label, { outChannels, height, width }, batch, { quads = 1 }) => ({
    values: { batch, lanes: 4 * quads },
    workgroups: workgroupsFor(
      label,
      batch * ceilDiv(height * width, 16) * ceilDiv(outChannels, 32),
      quads,
    ),
  }),
};
