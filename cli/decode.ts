import { ScoreCamError } from '../src/errors';
import type { Picture } from './picture';

/**
 * A file's pixels, by the library that browsers decode with as well, for hosts that have none.
 * @throws ScoreCamError `image` naming the file
 */
export async function decoded(file: Uint8Array, name: string): Promise<Picture> {
  const { default: sharp } = await import('sharp');
  try {
    const image = sharp(file).autoOrient().toColourspace('srgb').ensureAlpha().raw();
    const { data, info } = await image.toBuffer({ resolveWithObject: true });
    return { width: info.width, height: info.height, rgba: data.toString('base64') };
  } catch (cause) {
    throw new ScoreCamError(
      'image',
      `${name} (${file.length} bytes) is no image that can be decoded here: give a PNG or JPEG.`,
      { cause },
    );
  }
}
