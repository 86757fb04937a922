/// Runs where WebGPU is: drawn scenes as images.
import { imageData } from '../src/explain/pixels';
import type { Scene } from '../weights/scenes';

export function imageOf({ width, height, data }: Scene): ImageData {
  return imageData({ width, height, data });
}
