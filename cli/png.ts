import { PNG } from 'pngjs';
import type { Picture } from './picture';

/** A picture as a PNG file. */
export function pngOf({ width, height, rgba }: Picture): Buffer {
  const png = new PNG({ width, height });
  png.data = Buffer.from(rgba, 'base64');
  return PNG.sync.write(png);
}
