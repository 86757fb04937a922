/// Runs in headless Chrome: draws one picture of many maps.
import { base64Of, bytesOf } from '../base64';
import { whiteCanvas } from '../picture';

/** A picture of many maps: a row an image and class, a column a method. */
export async function gallery(
  columns: readonly string[],
  rows: readonly { readonly label: string; readonly pictures: readonly (string | undefined)[] }[],
): Promise<string> {
  const size = 132;
  const gap = 6;
  const left = 110;
  const top = 44;
  const { canvas, context } = whiteCanvas(
    left + columns.length * (size + gap),
    top + rows.length * (size + gap),
  );
  context.font = '13px sans-serif';
  context.textBaseline = 'middle';
  for (const [column, name] of columns.entries()) {
    const x = left + column * (size + gap);
    name.split(/(?=[:(])/).forEach((line, i) => {
      context.fillText(line, x, 14 + 16 * i, size);
    });
  }
  for (const [row, { label, pictures }] of rows.entries()) {
    const y = top + row * (size + gap);
    context.fillText(label, 4, y + size / 2, left - 10);
    for (const [column, picture] of pictures.entries()) {
      if (picture === undefined) continue;
      const bitmap = await createImageBitmap(new Blob([bytesOf(picture)]));
      context.drawImage(bitmap, left + column * (size + gap), y, size, size);
      bitmap.close();
    }
  }
  return base64Of(await canvas.convertToBlob({ type: 'image/png' }));
}
