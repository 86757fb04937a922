import { type ColourMapName, colourMaps } from '../../src/kernels/maps/colour_maps';
import { h } from '../dom';

/** A picture with what it shows in words; without words there is nothing to see yet. */
export function canvas(width: number, height: number, label?: string): HTMLCanvasElement {
  const made = h('canvas', { width, height, 'aria-hidden': 'true' });
  if (label !== undefined) describe(made, label);
  return made;
}

/** Says what a picture shows from now on. */
export function describe(picture: HTMLCanvasElement, label: string): void {
  picture.removeAttribute('aria-hidden');
  picture.setAttribute('role', 'img');
  picture.setAttribute('aria-label', label);
}

export function put(onto: HTMLCanvasElement, image: ImageData): void {
  onto.width = image.width;
  onto.height = image.height;
  onto.getContext('2d')?.putImageData(image, 0, 0);
}

/** Values as colours, pixel by pixel: `min` and what is below in the first of the map's, `max` in the last. */
export function coloured(
  values: Float32Array,
  width: number,
  [min, max]: readonly [number, number],
  map: ColourMapName = 'viridis',
): ImageData {
  const colours = colourMaps[map];
  const packed = Uint32Array.from(values, (value) => {
    const share = max > min ? (value - min) / (max - min) : 0;
    return colours[Math.round(255 * Math.min(1, Math.max(0, share)))] as number;
  });
  return new ImageData(new Uint8ClampedArray(packed.buffer), width);
}

export function rangeOf(values: Float32Array): [number, number] {
  return [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))];
}
