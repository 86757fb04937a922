/** docs/reliability.md names tests that there are. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { projectRoot } from '../cli/server';

const read = (path: string): string => readFileSync(join(projectRoot, path), 'utf8');

it('each promise of docs/reliability.md names a file and tests of it', () => {
  const rows = read('docs/reliability.md').match(/^\| (?!promise |defect ).*/gm) ?? [];
  expect(rows.length).toBeGreaterThan(50);
  let source = '';
  const missing: string[] = [];
  for (const row of rows) {
    const [, , tests = ''] = row.split('|');
    // A file is given once for the rows below it.
    const [, path] = /\]\(\.\.\/(test\/[^)]*)\)/.exec(tests) ?? [];
    if (path) source = read(path);
    const names = [...tests.matchAll(/`(.+?)`/g)].map(([, name = '']) => name);
    if (names.length === 0) missing.push(row);
    for (const name of names) {
      // What differs between cases is left out.
      if (!name.split('…').every((part) => source.includes(part))) missing.push(name);
    }
  }
  expect(missing).toEqual([]);
});
