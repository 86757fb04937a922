/// Runs in headless Chrome: draws the picture that sets several methods side by side.
import type { Explanation } from '../src/index';
import { whiteCanvas } from './picture';
import { percent } from './words';

/** Room round each picture, and below it for two lines of text, in pixels. */
const GAP = 8;
const TEXT = 40;
/** Pictures are never narrower, so that their names fit. */
const LEAST_WIDTH = 168;

/**
 * A row for each class: the image, then each method's overlay, with its name and the class below.
 * @param results each method's explanations of the same classes, at least one
 */
export async function compare(results: readonly (readonly Explanation[])[]): Promise<Blob> {
  const [rows] = results as [readonly Explanation[]];
  const [first] = rows as [Explanation];
  const scale = Math.max(1, Math.ceil(LEAST_WIDTH / first.map.width));
  const width = scale * first.map.width;
  const height = scale * first.map.height;
  const cell = { width: width + GAP, height: height + TEXT + GAP };
  const { canvas, context } = whiteCanvas(
    (results.length + 1) * cell.width + GAP,
    rows.length * cell.height + GAP,
  );
  context.textAlign = 'center';
  context.textBaseline = 'top';
  context.imageSmoothingEnabled = false;

  const draw = async (
    explanation: Explanation,
    opacity: number,
    [column, row]: readonly [number, number],
    lines: readonly string[],
  ): Promise<void> => {
    const picture = new OffscreenCanvas(1, 1);
    await explanation.draw(picture, { opacity });
    const x = GAP + column * cell.width;
    const y = GAP + row * cell.height;
    context.drawImage(picture, x, y, width, height);
    for (const [i, text] of lines.entries()) {
      context.font = `${i === 0 ? 'bold ' : ''}14px sans-serif`;
      context.fillText(text, x + width / 2, y + height + 4 + 18 * i, width);
    }
  };

  for (const [row, { class: asked }] of rows.entries()) {
    const share = `${asked.label} ${percent(asked.probability)}`;
    await draw(first, 0, [0, row], ['image', share]);
    for (const [i, explanations] of results.entries()) {
      const one = explanations[row] as Explanation;
      const note = one.map.flat ? `${asked.label} (flat)` : asked.label;
      await draw(one, 0.5, [i + 1, row], [one.method, note]);
    }
  }
  return canvas.convertToBlob({ type: 'image/png' });
}
