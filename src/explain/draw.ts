import { ScoreCamError } from '../errors';
import { Arena } from '../gpu/arena';
import type { Gpu } from '../gpu/gpu';
import { type ColourMapName, colourMaps } from '../kernels/maps/colour_maps';
import { overlay } from '../kernels/maps/overlay';
import { checked, checkOption } from './check';
import { imageData, type Pixels } from './pixels';
import { does, type Rules } from './rules';
import type { SaliencyMap } from './types';

export interface DrawOptions {
  /** 0 shows the image, 1 the heat map alone. Default 0.5. */
  readonly opacity?: number | undefined;
  readonly colourMap?: ColourMapName | undefined;
}

export const DRAW: Rules<DrawOptions> = {
  opacity: { least: 0, most: 1, whole: false },
  colourMap: { names: Object.keys(colourMaps) },
};

/** `Explanation.overlay`, loaded when it is asked for. */
export async function overlayOf(
  gpu: Gpu,
  map: SaliencyMap,
  image: Pixels,
  options: DrawOptions,
): Promise<ImageData> {
  const { opacity = 0.5, colourMap = 'turbo' } = await checked(DRAW, options);
  const data = await render(gpu, map, image, opacity, colourMaps[colourMap]);
  return imageData({ data, width: map.width, height: map.height });
}

/**
 * Draws the map over its image on a canvas, which takes its size.
 * @throws ScoreCamError `option` as `overlayOf`, or if nothing can be put on the canvas; it is left as it was
 */
export async function draw(
  canvas: HTMLCanvasElement | OffscreenCanvas,
  overlay: () => Promise<ImageData>,
): Promise<void> {
  await checkOption('The canvas', { kind: 'a canvas', is: does('getContext') }, canvas);
  const image = await overlay();
  const refuse = (cause?: unknown): never => {
    throw new ScoreCamError(
      'option',
      'The canvas has no 2d context: it is in use by another API, was transferred, or this JavaScript has none. ' +
        'overlay() gives the pixels without a canvas.',
      { cause },
    );
  };
  try {
    const context = canvas.getContext('2d') as
      | CanvasRenderingContext2D
      | OffscreenCanvasRenderingContext2D
      | null;
    if (!context) return refuse();
    canvas.width = image.width;
    canvas.height = image.height;
    context.putImageData(image, 0, 0);
  } catch (error) {
    if (error instanceof ScoreCamError) throw error;
    refuse(error);
  }
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
    const dispatch = overlay({
      label: 'overlay',
      width,
      height,
      map: arena.upload('map', data),
      image: arena.upload('image', new Uint32Array(image.data.slice().buffer)),
      colours: arena.upload('colours', colours),
      opacity,
      output,
    });
    const [read] = await gpu.compute('overlay', [dispatch], [output]);
    return new Uint8ClampedArray(read.buffer);
  } finally {
    arena.dispose();
  }
}
