/** An image as bytes: all that there is of ImageData, for wherever there is none. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  /** RGBA, 4 x width x height bytes, row by row from the upper left corner; alpha is not premultiplied. */
  readonly data: Uint8ClampedArray | Uint8Array;
}

/** Whether there are four bytes for every pixel, a pixel at least, and all of them in sRGB. */
export function isPixels(image: unknown): image is Pixels {
  const { data, width, height, colorSpace = 'srgb' } = (image ?? {}) as Partial<ImageData>;
  const isSize = (value: unknown): boolean => Number.isInteger(value) && (value as number) > 0;
  return (
    // By name: bytes may come from another window.
    /^Uint8/.test(data?.[Symbol.toStringTag] ?? '') &&
    isSize(width) &&
    isSize(height) &&
    data?.length === 4 * (width as number) * (height as number) &&
    colorSpace === 'srgb'
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
