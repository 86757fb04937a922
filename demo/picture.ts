/** The canvas: the image, and the heat map that is shown over it. */
import { placementOf } from '../src/explain/image';
import type { Explainer, Explanation } from '../src/index';
import { element } from './element';

const canvas = element<HTMLCanvasElement>('canvas');
const opacity = element<HTMLInputElement>('opacity');
let shown: Explanation | undefined;

/** What the canvas shows, for those who cannot see it. */
export function caption(text: string): void {
  canvas.setAttribute('aria-label', text);
}

/** The image while the network works on it. */
export async function preview(image: Blob, input: Explainer['model']['input']): Promise<void> {
  const bitmap = await createImageBitmap(image).catch(() => undefined);
  // Explaining it will say what is wrong with it.
  if (!bitmap) return;
  const { scaleX, scaleY, left, top } = placementOf(bitmap, input);
  canvas.width = input.width;
  canvas.height = input.height;
  canvas
    .getContext('2d')
    ?.drawImage(bitmap, left, top, scaleX * bitmap.width, scaleY * bitmap.height);
  bitmap.close();
  caption('The image, not yet explained');
  element('drop').classList.add('full');
  element('hint').hidden = true;
}

/** Shows this map from now on, or leaves what is drawn and draws no more. */
export async function put(explanation: Explanation | undefined): Promise<void> {
  shown = explanation;
  await redraw();
}

let drawing = false;
let stale = false;

/** Draws what is shown now; while a drawing is under way, only the last request counts. */
export async function redraw(): Promise<void> {
  stale = true;
  if (drawing) return;
  drawing = true;
  try {
    while (stale && shown) {
      stale = false;
      await shown.draw(canvas, { opacity: Number(opacity.value) });
    }
  } finally {
    drawing = false;
  }
}
