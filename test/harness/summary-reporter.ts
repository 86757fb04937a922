import { writeFileSync } from 'node:fs';
import type { SerializedError } from 'vitest';
import type { Reporter, TestModule } from 'vitest/node';

/**
 * Counts tests for the line with which `npm test` ends, into the file SCORE_CAM_TEST_SUMMARY. What fails
 * outside a test (a module that does not load, a hook, a stray rejection) counts as one failure each.
 */
export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], stray: readonly SerializedError[]): void {
    const counts = { passed: 0, failed: stray.length, skipped: 0 };
    for (const module of modules) {
      if (module.errors().length > 0) counts.failed++;
      for (const suite of module.children.allSuites()) {
        if (suite.errors().length > 0) counts.failed++;
      }
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        counts[state === 'pending' ? 'skipped' : state]++;
      }
    }
    const path = process.env.SCORE_CAM_TEST_SUMMARY;
    if (path) writeFileSync(path, JSON.stringify(counts));
  }
}
