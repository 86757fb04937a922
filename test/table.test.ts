/** The table of docs/browsers.md, made of what a run reports. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { projectRoot } from '../cli/server';
import { readSampleNote, sampleNote } from './harness/sample-note';
import { type CaseOutcome, tableOf } from './harness/table';
import { TABLE } from './harness/table-reporter';

const outcome = (suite: string, state: CaseOutcome['state'], more: Partial<CaseOutcome> = {}) => ({
  suite,
  state,
  reason: '',
  note: '',
  ms: 30_000,
  ...more,
});

it('counts cases by suite and implementation, and gathers reasons', () => {
  const note = sampleNote({ error: 2.34e-7, ms: 1234, by: 'Chrome/1, SwiftShader' });
  const table = tableOf(
    new Map([
      ['Chrome', [outcome('conv', 'passed'), outcome('sample', 'passed', { note })]],
      [
        'Deno',
        [
          outcome('conv', 'failed'),
          outcome('conv', 'skipped', { reason: 'Deno has no subgroups' }),
          outcome('sample', 'skipped', { reason: 'Deno has no subgroups' }),
        ],
      ],
    ]),
  );
  expect(table).toContain('|  | Chrome | Deno |\n|---|---:|---:|\n');
  expect(table).toContain('| conv | 1 | 0, 1 failed, 1 skipped |');
  expect(table).toContain('| **all** | **2** | **0, 1 failed, 2 skipped** |');
  expect(table).toContain('| 2.3e-7 | - |');
  expect(table).toContain('| 1.2 s | - |');
  expect(table).toContain('- Chrome: Chrome/1, SwiftShader.');
  expect(table).toContain('- Skipped in Deno, 2: Deno has no subgroups.');
});

it('reads nothing from what other cases say', () => {
  expect(readSampleNote('output: largest error 1.0e-7')).toBeUndefined();
});

it('has its place in the document', () => {
  expect(readFileSync(join(projectRoot, 'docs/browsers.md'), 'utf8')).toMatch(TABLE);
});
