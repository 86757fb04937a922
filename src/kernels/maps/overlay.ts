import type { Dispatch, Slice } from '../../gpu/kernel';
import { workgroupsFor } from '../../gpu/workgroups';
import { only } from '../family';
import source from './overlay.wgsl';

const kernel = only(source);

export interface OverlayArgs {
  readonly label: string;
  readonly width: number;
  readonly height: number;
  /** [height, width], in [0, 1] */
  readonly map: Slice;
  /** [height, width] RGBA8: r | g << 8 | b << 16 | a << 24 */
  readonly image: Slice;
  /** 256 RGBA8 colours, see colourMaps */
  readonly colours: Slice;
  /** Of the heat map: 1 hides the image. */
  readonly opacity: number;
  /** [height, width] RGBA8, alpha 255 */
  readonly output: Slice;
}

/** The heat map in colours over the image. */
export function overlay(args: OverlayArgs): Dispatch {
  const count = args.width * args.height;
  return {
    kernel,
    label: args.label,
    constants: {},
    params: { count, opacity: args.opacity },
    buffers: { map: args.map, image: args.image, colours: args.colours, output: args.output },
    workgroups: workgroupsFor(args.label, count, 64),
  };
}
