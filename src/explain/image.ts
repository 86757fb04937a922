import { ScoreCamError } from '../errors';
import type { Manifest, ManifestInput } from '../model/manifest';
import { firstNotFinite } from '../numbers/finite';
import { isPixels, onWhite, type Pixels } from './pixels';
import type { ImageSource } from './types';

/**
 * Brings any image source to the network's input size; what is not pixels is decoded first. An image that has that size
 * already is not resampled. Transparent pixels are laid on white.
 * @throws ScoreCamError `image` when it is none, or cannot be fetched or decoded; the signal's reason on abort
 */
export async function prepareImage(
  source: ImageSource,
  input: ManifestInput,
  signal?: AbortSignal,
): Promise<Pixels> {
  signal?.throwIfAborted();
  const pixels = isPixels(source)
    ? onWhite(source)
    : await (await import('./decode')).decode(source, signal);
  signal?.throwIfAborted();
  return resample(pixels, input);
}

/**
 * Where an image comes to lie on the network's input: each axis scaled, then centred. `cover` keeps proportions and
 * reaches over the edges (left or top below 0), `stretch` fills the input exactly.
 */
export function placementOf(
  image: { readonly width: number; readonly height: number },
  { width, height, resize }: Pick<ManifestInput, 'width' | 'height' | 'resize'>,
): {
  readonly scaleX: number;
  readonly scaleY: number;
  /** Of the scaled image's upper left corner, in pixels of the input. */
  readonly left: number;
  readonly top: number;
} {
  const fill = Math.max(width / image.width, height / image.height);
  const scaleX = resize === 'cover' ? fill : width / image.width;
  const scaleY = resize === 'cover' ? fill : height / image.height;
  return {
    scaleX,
    scaleY,
    left: (width - image.width * scaleX) / 2,
    top: (height - image.height * scaleY) / 2,
  };
}

/**
 * Scales to the network's input size with a triangle filter as wide as the scale demands (antialiased
 * bilinear, what PIL and torchvision do): `cover` crops the centre, `stretch` ignores proportions.
 */
export function resample(
  image: Pixels,
  input: Pick<ManifestInput, 'width' | 'height' | 'resize'>,
): Pixels {
  const { width, height } = input;
  if (image.width === width && image.height === height) return image;
  const { scaleX, scaleY } = placementOf(image, input);
  const columns = triangleFilter(image.width, width, scaleX);
  const rows = triangleFilter(image.height, height, scaleY);
  // Horizontally into an f32 image of the output's width, but only the rows that are used; then
  // vertically.
  const top = Math.min(...rows.map((row) => row.first));
  const bottom = Math.max(...rows.map((row) => row.first + row.weights.length));
  const half = new Float32Array((bottom - top) * width * 3);
  for (let y = top; y < bottom; y++) {
    columns.forEach(({ first, weights }, x) => {
      for (let c = 0; c < 3; c++) {
        let sum = 0;
        for (let i = 0; i < weights.length; i++) {
          sum +=
            (weights[i] as number) * (image.data[4 * (y * image.width + first + i) + c] as number);
        }
        half[3 * ((y - top) * width + x) + c] = sum;
      }
    });
  }
  const data = new Uint8ClampedArray(4 * width * height).fill(255);
  rows.forEach(({ first, weights }, y) => {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < 3; c++) {
        let sum = 0;
        for (let i = 0; i < weights.length; i++) {
          sum += (weights[i] as number) * (half[3 * ((first - top + i) * width + x) + c] as number);
        }
        data[4 * (y * width + x) + c] = sum;
      }
    }
  });
  return { width, height, data };
}

/** For each output pixel: the first input pixel it reads and the weights from there on. */
function triangleFilter(
  from: number,
  to: number,
  scale: number,
): { first: number; weights: Float64Array }[] {
  const reach = Math.max(1, 1 / scale);
  const offset = (from - to / scale) / 2;
  return Array.from({ length: to }, (_, i) => {
    const centre = offset + (i + 0.5) / scale;
    const first = Math.min(from - 1, Math.max(0, Math.floor(centre - reach)));
    const end = Math.max(first + 1, Math.min(from, Math.ceil(centre + reach)));
    const weights = Float64Array.from({ length: end - first }, (_unused, j) =>
      Math.max(0, 1 - Math.abs(first + j + 0.5 - centre) / reach),
    );
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    return {
      first,
      weights: total > 0 ? weights.map((weight) => weight / total) : weights.fill(1),
    };
  });
}

/**
 * The network's input [3, height, width]: (rgb / 255 - mean) / std.
 * @throws ScoreCamError `not-finite` where the manifest's mean or std make it so
 */
export function normalise(pixels: Pixels, manifest: Pick<Manifest, 'input'>): Float32Array {
  const { mean, std } = manifest.input;
  const count = pixels.width * pixels.height;
  const values = new Float32Array(3 * count);
  for (let c = 0; c < 3; c++) {
    for (let i = 0; i < count; i++) {
      const value = (pixels.data[4 * i + c] as number) / 255;
      values[c * count + i] = (value - (mean[c] as number)) / (std[c] as number);
    }
  }
  const bad = firstNotFinite(values);
  if (bad >= 0) {
    const c = Math.floor(bad / count);
    throw new ScoreCamError(
      'not-finite',
      `The image less mean ${mean[c]}, divided by std ${std[c]}, is ${values[bad]} in channel ${c}: correct ` +
        "the manifest's input, which is for values from 0 to 1.",
    );
  }
  return values;
}
