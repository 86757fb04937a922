import type { Dispatch, Slice } from '../../gpu/kernel';
import { workgroupsFor } from '../../gpu/workgroups';
import { only } from '../family';
import source from './apply_mask.wgsl';

const kernel = only(source);

export interface ApplyMaskArgs {
  readonly label: string;
  readonly batch: number;
  /** Of the image. */
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  /** [channels, height, width] */
  readonly image: Slice;
  /** [batch, height, width] */
  readonly masks: Slice;
  /** [batch, channels, height, width] */
  readonly output: Slice;
}

/** One image under each mask of a batch. */
export function applyMask(args: ApplyMaskArgs): Dispatch {
  const pixels = args.height * args.width;
  return {
    kernel,
    label: args.label,
    constants: { CHANNELS: args.channels, PIXELS: pixels },
    params: { batch: args.batch },
    buffers: { image: args.image, masks: args.masks, output: args.output },
    workgroups: workgroupsFor(args.label, args.batch * args.channels * pixels, 64),
  };
}
