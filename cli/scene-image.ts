/// Runs in headless Chrome: drawn scenes as images.
import type { Scene } from '../weights/scenes';

export function imageOf({ width, height, data }: Scene): ImageData {
  return new ImageData(data as Uint8ClampedArray<ArrayBuffer>, width, height);
}
