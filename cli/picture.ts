/// Runs in headless Chrome: maps over their image as PNG files, and room to set several side by side.
import type { Explanation } from '../src/index';
import { base64 } from './base64';

/** The heat map over its image, as a PNG in base64. Opacity is from 0, the image alone, to 1, the map alone. */
export async function overlayOf(explanation: Explanation, opacity = 0.5): Promise<string> {
  const canvas = new OffscreenCanvas(1, 1);
  await explanation.draw(canvas, { opacity });
  return base64(await canvas.convertToBlob({ type: 'image/png' }));
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
