import { type SaliencyMap, ScoreCamError } from '../index';
import { type ColourMapName, colourMaps } from '../kernels/maps/colour_maps';

export type { ColourMapName };

/** The map in colours, at its own size; opaque. */
export function paint(canvas: HTMLCanvasElement, map: SaliencyMap, name: ColourMapName): void {
  const { width, height, data } = map;
  const colours = colourMaps[name];
  const pixels = new ImageData(width, height);
  // Little-endian as every GPU's host: red in the lowest byte, as the tables have it.
  const words = new Uint32Array(pixels.data.buffer);
  data.forEach((value, i) => {
    words[i] = colours[Math.round(255 * value)] as number;
  });
  canvas.width = width;
  canvas.height = height;
  canvas.getContext('2d')?.putImageData(pixels, 0, 0);
}

/** The colours from 0 to 1 as a CSS gradient. */
export function gradient(name: ColourMapName): string {
  const colours = colourMaps[name];
  const stops = Array.from({ length: 18 }, (_, i) => {
    const colour = colours[15 * i] as number;
    return `rgb(${colour & 255} ${(colour >> 8) & 255} ${(colour >> 16) & 255})`;
  });
  return `linear-gradient(to right, ${stops.join(', ')})`;
}

interface Size {
  readonly width: number;
  readonly height: number;
}

interface Place extends Size {
  readonly left: number;
  readonly top: number;
}

/**
 * Where the network's input lies on a picture: its centre, cropped to the input's proportions, or all of it where the
 * network stretches pictures.
 */
export function placeOf(picture: Size, input: Size, resize: 'cover' | 'stretch'): Place {
  if (resize === 'stretch') return { ...picture, left: 0, top: 0 };
  const scale = Math.min(picture.width / input.width, picture.height / input.height);
  const [width, height] = [scale * input.width, scale * input.height];
  return { width, height, left: (picture.width - width) / 2, top: (picture.height - height) / 2 };
}

/** The longest side of a picture that is given out. */
const LARGEST = 4096;

/**
 * The picture at its own size with the heat map over it.
 * @throws ScoreCamError `image` where the picture may not be read
 */
export function composed(
  picture: HTMLImageElement,
  heat: HTMLCanvasElement,
  opacity: number,
  resize: 'cover' | 'stretch',
): HTMLCanvasElement {
  const { naturalWidth, naturalHeight } = picture;
  const scale = Math.min(1, LARGEST / Math.max(naturalWidth, naturalHeight));
  const size = {
    width: Math.round(scale * naturalWidth),
    height: Math.round(scale * naturalHeight),
  };
  const canvas = Object.assign(document.createElement('canvas'), size);
  const context = canvas.getContext('2d');
  if (!context) {
    throw new ScoreCamError(
      'image',
      `A canvas of ${size.width}x${size.height} pixels cannot be had here: take a smaller picture.`,
    );
  }
  context.drawImage(picture, 0, 0, size.width, size.height);
  context.globalAlpha = opacity;
  const { left, top, width, height } = placeOf(size, heat, resize);
  context.drawImage(heat, left, top, width, height);
  return canvas;
}
