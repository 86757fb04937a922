import { ScoreCamError } from '../errors';
import { Arena } from '../gpu/arena';
import type { Gpu } from '../gpu/gpu';
import { type ColourMapName, colourMaps } from '../kernels/maps/colour_maps';
import { overlay } from '../kernels/maps/overlay';
import { imageData, type Pixels } from './pixels';
import type { SaliencyMap } from './types';

export interface DrawOptions {
  /** 0 shows the image, 1 the heat map alone. Default 0.5. */
  readonly opacity?: number | undefined;
  readonly colourMap?: ColourMapName | undefined;
}

/** `Explanation.overlay`, loaded when it is asked for. */
export async function overlayOf(
  gpu: Gpu,
  map: SaliencyMap,
  image: Pixels,
  { opacity = 0.5, colourMap = 'turbo' }: DrawOptions,
): Promise<ImageData> {
  if (!(opacity >= 0 && opacity <= 1)) {
    throw new ScoreCamError('option', `opacity is ${opacity}, must be from 0 to 1.`);
  }
  const colours = colourMaps[colourMap];
  if (!colours) {
    throw new ScoreCamError(
      'option',
      `There is no colour map "${colourMap}". Choose from: ${Object.keys(colourMaps).join(', ')}.`,
    );
  }
  const data = await render(gpu, map, image, opacity, colours);
  return imageData({ data, width: map.width, height: map.height });
}

/** Puts what {@link overlayOf} gives on a canvas of its size. */
export function draw(image: ImageData, canvas: HTMLCanvasElement | OffscreenCanvas): void {
  canvas.width = image.width;
  canvas.height = image.height;
  const context = canvas.getContext('2d') as
    | CanvasRenderingContext2D
    | OffscreenCanvasRenderingContext2D
    | null;
  if (!context) {
    throw new ScoreCamError(
      'option',
      'The canvas has no 2d context: it is in use by another API, or this JavaScript has none. ' +
        'overlay() gives the pixels without a canvas.',
    );
  }
  context.putImageData(image, 0, 0);
}

/** RGBA of the map over the image. */
async function render(
  gpu: Gpu,
  { width, height, data }: SaliencyMap,
  image: Pixels,
  opacity: number,
  colours: Uint32Array,
): Promise<Uint8ClampedArray<ArrayBuffer>> {
  const arena = new Arena(gpu);
  try {
    const output = arena.take('overlay', 4 * width * height);
    await gpu.submit('overlay', [
      overlay({
        label: 'overlay',
        width,
        height,
        map: arena.upload('map', data),
        image: arena.upload('image', new Uint32Array(image.data.slice().buffer)),
        colours: arena.upload('colours', colours),
        opacity,
        output,
      }),
    ]);
    const read = await gpu.read(output.buffer, width * height);
    return new Uint8ClampedArray(read.buffer as ArrayBuffer);
  } finally {
    arena.dispose();
  }
}
