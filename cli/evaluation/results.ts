/** An evaluation's files: tables, plots, figures and a gallery. */

import { join } from 'node:path';
import { adapterName } from '../../src/gpu/facts';
import { writeWhole } from '../output';
import type { Opened } from '../page-api';
import type { Session } from '../session';
import { today } from '../words';
import { plotAll } from './plots';
import type { MethodSpec } from './specs';
import type { Store } from './store';
import { judge, summariseRows } from './summary';
import { csvTable, markdownTable, verdictText } from './tables';
import type { SanityPoint } from './types';

export interface Findings {
  readonly opened: Opened;
  readonly specs: readonly MethodSpec[];
  readonly images: readonly string[];
  readonly sanity: readonly SanityPoint[];
  readonly pictures: number;
}

/** All files of the result; returns the table and the verdict. */
export async function writeResults(
  session: Session,
  store: Store,
  findings: Findings,
): Promise<string> {
  const { opened, specs, images, sanity, pictures } = findings;
  const wanted = new Set(images);
  const rows = store.rows.filter(({ image }) => wanted.has(image));
  const methods = summariseRows(rows, specs);
  const defined = specs.filter(({ name }) =>
    methods.some((one) => one.name === name && !one.refused),
  );
  const verdicts = judge(rows, 'score-cam', 'grad-cam');
  const adapter = adapterName(opened.adapter);
  const date = today();
  const heading =
    `${opened.model.name}, ${images.length} images, ${rows.filter(({ method }) => method === specs[0]?.name).length} ` +
    `maps a method; ${session.version}, ${adapter}, ${date}`;
  const verdict = verdictText('score-cam', 'grad-cam', verdicts);
  const text = `${heading}\n\n${markdownTable(methods)}\n${verdict ? `\n${verdict}\n` : ''}`;
  const file = (name: string): string => join(store.folder, name);
  writeWhole(file('table.md'), text);
  writeWhole(file('table.csv'), csvTable(methods));
  const results = {
    date,
    adapter: opened.adapter,
    browser: session.version,
    model: opened.model.name,
  };
  writeWhole(
    file('results.json'),
    `${JSON.stringify({ ...results, images: images.length, methods, verdicts, sanity }, undefined, 2)}\n`,
  );
  for (const [name, svg] of Object.entries(plotAll(methods, sanity))) writeWhole(file(name), svg);
  const shown = rows.filter(
    ({ image, method }) => images.slice(0, pictures).includes(image) && method === defined[0]?.name,
  );
  if (shown.length > 0) {
    const lines = shown.map(({ image, label }) => ({
      label,
      pictures: defined.map(({ name }) => store.picture({ image, label, method: name })),
    }));
    const png = await session.call(
      'gallery',
      defined.map(({ name }) => name),
      lines,
    );
    writeWhole(file('gallery.png'), Buffer.from(png, 'base64'));
  }
  return text;
}
