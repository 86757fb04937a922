import { decode, kindOf } from '../explain/decode';
import { isPixels } from '../explain/pixels';
import type { ImageSource } from '../explain/types';
import { moved } from './line';
import type { SentImage } from './protocol';

/**
 * An image as a worker can have it: an address in full, a file as it is, anything else that the browser shows as a bitmap
 * that is handed over. What was given stays the page's.
 * @throws ScoreCamError `image` as the library does on the page
 */
export async function sentImage(source: ImageSource, signal?: AbortSignal): Promise<SentImage> {
  if (isPixels(source)) {
    const data = new Uint8ClampedArray(source.data);
    return moved({ data, width: source.width, height: source.height }, [data.buffer]);
  }
  if (typeof source === 'string' || source instanceof URL) {
    const base = globalThis.document?.baseURI;
    return URL.canParse(source, base) ? new URL(source, base).href : String(source);
  }
  if (isData(source)) return source;
  try {
    if (kindOf(source) === 'HTMLImageElement') await (source as HTMLImageElement).decode();
    const bitmap = await createImageBitmap(source as ImageBitmapSource);
    return moved(bitmap, [bitmap]);
  } catch {
    // Here it is refused in the library's words, or has pixels all the same.
    const pixels = await decode(source, signal);
    return moved(pixels, [pixels.data.buffer as ArrayBuffer]);
  }
}

/** What is cloned as it is: a file by reference, ImageData of another colour space, or of floats. */
const isData = (source: unknown): source is ImageData | Blob =>
  /^(ImageData|Blob|File)$/.test(kindOf(source));
