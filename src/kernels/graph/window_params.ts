import type { WindowShape } from './window_shape';

/** Values of the parameters that every kernel over windows has. */
export function windowParams(shape: WindowShape): Readonly<Record<string, number>> {
  return {
    height: shape.height,
    width: shape.width,
    out_height: shape.outHeight,
    out_width: shape.outWidth,
    kernel_height: shape.kernel[0],
    kernel_width: shape.kernel[1],
    stride_down: shape.stride[0],
    stride_across: shape.stride[1],
    top: shape.before[0],
    left: shape.before[1],
  };
}
