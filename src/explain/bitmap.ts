import { ScoreCamError } from '../errors';

/**
 * Decodes a file, or copies a bitmap. Networks are trained on the numbers in the file, so no colour management changes
 * them.
 * @throws ScoreCamError `image` naming it by name and size
 */
export async function toBitmap(
  source: ImageBitmapSource,
  premultiplyAlpha: PremultiplyAlpha = 'none',
): Promise<ImageBitmap> {
  try {
    return await createImageBitmap(source, { colorSpaceConversion: 'none', premultiplyAlpha });
  } catch (cause) {
    const { name = 'image', size = 0 } = source as Partial<File>;
    throw new ScoreCamError(
      'image',
      `${name} (${size} bytes) is no image this browser can decode: use PNG or JPEG.`,
      { cause },
    );
  }
}
