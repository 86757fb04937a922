import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Reporter, TestModule } from 'vitest/node';
import { projectRoot } from '../../cli/server';
import { type CaseOutcome, tableOf } from './table';

const FILE = join(projectRoot, 'docs', 'browsers.md');
/** Where the table stands in it. */
export const TABLE = /(<!-- written by npm run test:everywhere -->\n)[\s\S]*(<!-- end -->)/;

/** Writes what ran where into docs/browsers.md, after a run of every case in every implementation. */
export default class TableReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const outcomes = new Map<string, CaseOutcome[]>();
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const [suite = '', title = ''] = test.fullName.split(/ > | on /);
        const result = test.result();
        const one = {
          suite,
          state: result.state,
          reason: result.state === 'skipped' ? (result.note ?? '') : '',
          note: test
            .annotations()
            .map(({ message }) => message)
            .join('; '),
          ms: test.diagnostic()?.duration ?? 0,
        };
        outcomes.set(title, [...(outcomes.get(title) ?? []), one]);
      }
    }
    const all = [...outcomes.values()].flat();
    // A run of some of them has cases that are skipped without a reason.
    const isWhole =
      outcomes.size === 4 && all.every(({ state, reason }) => state !== 'skipped' || reason);
    if (!isWhole) return;
    const text = readFileSync(FILE, 'utf8');
    writeFileSync(
      FILE,
      text.replace(TABLE, (_, start, end) => `${start}\n${tableOf(outcomes)}\n\n${end}`),
    );
  }
}
