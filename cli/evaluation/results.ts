/** An evaluation's files: tables, plots, figures and a gallery. */

import { join } from 'node:path';
import { adapterName } from '../../src/gpu/facts';
import { writeWhole } from '../output';
import { today } from '../words';
import { plotAll } from './plots';
import type { MethodSpec } from './specs';
import type { Found } from './store';
import { judge, summariseRows } from './summary';
import { csvTable, csvTimes, markdownTable, verdictText } from './tables';
import type { Row } from './types';

export interface Findings {
  readonly found: Found;
  readonly specs: readonly MethodSpec[];
  readonly images: readonly string[];
  /** How many of the first images have randomised models, and pictures. */
  readonly sanity: number;
  readonly pictures: number;
}

/** Draws maps side by side: a line an image, a PNG in base64 for each of the names. Returns one PNG. */
export type DrawGallery = (
  names: readonly string[],
  lines: readonly { readonly label: string; readonly pictures: readonly (string | undefined)[] }[],
) => Promise<string>;

/** All files of the result; returns the table and the verdict. */
export async function writeResults(
  folder: string,
  { found, specs, images, sanity, pictures }: Findings,
  drawGallery: DrawGallery,
): Promise<string> {
  const rows = inOrder(found.rows, images, specs);
  const points = images.slice(0, sanity).flatMap((image) => found.sanity.get(image) ?? []);
  const methods = summariseRows(rows, specs);
  const defined = specs.filter(({ name }) =>
    methods.some((one) => one.name === name && !one.refused),
  );
  const verdicts = judge(rows, 'score-cam', 'grad-cam');
  const date = today();
  const { runs } = found;
  const models = [...new Set(runs.map(({ model }) => model))];
  const places = runs.map(({ browser, adapter }) => `${browser}, ${adapterName(adapter)}`);
  const heading =
    `${models.join(', ')}, ${images.length} images, ${rows.filter(({ method }) => method === specs[0]?.name).length} ` +
    `maps a method; ${[...new Set(places)].join('; ')}, ${date}`;
  const verdict = verdictText('score-cam', 'grad-cam', verdicts);
  const text = `${heading}\n\n${markdownTable(methods)}\n${verdict ? `\n${verdict}\n` : ''}`;
  const file = (name: string): string => join(folder, name);
  writeWhole(file('table.md'), text);
  writeWhole(file('table.csv'), csvTable(methods));
  writeWhole(file('times.csv'), csvTimes(methods));
  const results = { date, runs, images: images.length, methods, verdicts, sanity: points };
  writeWhole(file('results.json'), `${JSON.stringify(results, undefined, 2)}\n`);
  for (const [name, svg] of Object.entries(plotAll(methods, points))) writeWhole(file(name), svg);
  const pictured = new Set(images.slice(0, pictures));
  const shown = rows.filter(
    ({ image, method }) => pictured.has(image) && method === defined[0]?.name,
  );
  if (shown.length > 0) {
    const lines = shown.map(({ image, label }) => ({
      label,
      pictures: defined.map(({ name }) => found.picture({ image, label, method: name })),
    }));
    const png = await drawGallery(
      defined.map(({ name }) => name),
      lines,
    );
    writeWhole(file('gallery.png'), Buffer.from(png, 'base64'));
  }
  return text;
}

/** By image, then by method, whoever found them when: sums of the same numbers in another order may differ. */
function inOrder(
  rows: readonly Row[],
  images: readonly string[],
  specs: readonly MethodSpec[],
): Row[] {
  const places = new Map<string, Row[]>();
  for (const row of rows) {
    const place = `${row.image}\n${row.method}`;
    const own = places.get(place);
    if (own) own.push(row);
    else places.set(place, [row]);
  }
  return images.flatMap((image) =>
    specs.flatMap(({ name }) => places.get(`${image}\n${name}`) ?? []),
  );
}
