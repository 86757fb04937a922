import { ScoreCamError } from '../errors';

/** An image as bytes: all that there is of ImageData, for wherever there is none. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  /** RGBA, 4 x width x height bytes, row by row from the upper left corner; alpha is not premultiplied. */
  readonly data: Uint8ClampedArray | Uint8Array;
}

/** @throws ScoreCamError `image` unless there are four bytes for every pixel, and a pixel at least */
export function checkPixels({ data, width, height }: Pixels): void {
  // By name: bytes may come from another window.
  const kind = data?.[Symbol.toStringTag] ?? typeof data;
  const isSize = (value: number): boolean => Number.isInteger(value) && value > 0;
  if (/^Uint8/.test(kind) && isSize(width) && isSize(height) && data.length === 4 * width * height)
    return;
  throw new ScoreCamError(
    'image',
    `An image as { data, width, height } has 4 x width x height bytes of RGBA in a Uint8ClampedArray or Uint8Array: ` +
      `here data is ${kind} of length ${data?.length}, width ${width}, height ${height}.`,
  );
}

/** A copy as ImageData; where JavaScript has none, as a plain object of the same members. */
export function imageData({ data, width, height }: Pixels): ImageData {
  const copy = new Uint8ClampedArray(data);
  return typeof ImageData === 'undefined'
    ? { data: copy, width, height, colorSpace: 'srgb' }
    : new ImageData(copy, width, height);
}

/** The image laid on white. */
export function onWhite(image: Pixels): Pixels {
  const data = new Uint8ClampedArray(image.data.length);
  for (let i = 0; i < data.length; i += 4) {
    const alpha = (image.data[i + 3] as number) / 255;
    for (let c = 0; c < 3; c++) {
      data[i + c] = (image.data[i + c] as number) * alpha + 255 * (1 - alpha);
    }
    data[i + 3] = 255;
  }
  return { width: image.width, height: image.height, data };
}
