/// Runs in headless Chrome: maps over their image, as PNG files.
import type { Explanation } from '../src/index';
import { base64 } from './base64';

/** The heat map over its image, as a PNG in base64. Opacity is from 0, the image alone, to 1, the map alone. */
export async function overlayOf(explanation: Explanation, opacity = 0.5): Promise<string> {
  const canvas = new OffscreenCanvas(1, 1);
  await explanation.draw(canvas, { opacity });
  return base64(await canvas.convertToBlob({ type: 'image/png' }));
}
