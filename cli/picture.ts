/// Runs where WebGPU is: maps over their image, and room to set several side by side.
import type { Explanation } from '../src/index';
import { base64 } from './base64';

/** RGBA of a picture in base64, to be made a PNG in Node, which any runtime's can be. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly rgba: string;
}

/** The heat map over its image. Opacity is from 0, the image alone, to 1, the map alone. */
export async function overlayOf(explanation: Explanation, opacity = 0.5): Promise<Picture> {
  const { width, height, data } = await explanation.overlay({ opacity });
  return { width, height, rgba: base64(data) };
}

/** Whether there is a canvas that pictures and words can be drawn on. */
export function hasCanvas(): boolean {
  return typeof OffscreenCanvas !== 'undefined' && !!new OffscreenCanvas(1, 1).getContext('2d');
}

/** A white canvas, ready to be drawn on in black. */
export function whiteCanvas(
  width: number,
  height: number,
): { readonly canvas: OffscreenCanvas; readonly context: OffscreenCanvasRenderingContext2D } {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext('2d') as OffscreenCanvasRenderingContext2D;
  context.fillStyle = 'white';
  context.fillRect(0, 0, width, height);
  context.fillStyle = 'black';
  return { canvas, context };
}
