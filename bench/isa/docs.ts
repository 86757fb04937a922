import { type Budgets, budgetsOf, keyOf } from './budgets';
import { KNOWN_GPUS } from './chips';
import { predictionColumns, predictions } from './predictions';
import { BEFORE_AND_NOW, COLUMNS, markdownTable, pairsOf, rowsOf } from './table';
import type { IsaResults } from './types';

/*
 * The tables of docs/gpu-kernels.md: between marks, so that a run can put its own there and a test can tell whether they
 * are those of the results that are kept.
 */

type Part = (results: IsaResults, budgets: Budgets, before: IsaResults) => string;

const PARTS: Readonly<Record<string, Part>> = {
  // Those that times are predicted by, in one tile.
  'kernels as compiled': (isa, budgets) => {
    const shown = isa.kernels.filter(
      ({ kernel }, i, all) =>
        keyOf(kernel) in budgets.kernels && all.findIndex((one) => one.kernel === kernel) === i,
    );
    return markdownTable(COLUMNS, rowsOf({ ...isa, kernels: shown }));
  },
  'before and now': (isa, _, before) => markdownTable(BEFORE_AND_NOW, pairsOf(before, isa)),
  'predicted times': ({ ways }, budgets) =>
    markdownTable(predictionColumns(ways), predictions(ways, budgets)),
  'published figures': () =>
    KNOWN_GPUS.map(({ name, source }) => `- ${name}: ${source}`).join('\n'),
};

/**
 * The text with the tables of these results.
 * @param before of kernels as they were
 * @throws Error for a text without their marks
 */
export function withTables(text: string, results: IsaResults, before: IsaResults): string {
  const budgets = budgetsOf(results);
  return Object.entries(PARTS).reduce((made, [name, of]) => {
    const [begin, end] = [`<!-- ${name} -->\n`, `<!-- /${name} -->`];
    const [head, rest] = made.split(begin);
    const after = rest?.split(end)[1];
    if (after === undefined) throw new Error(`The text has no place for "${name}".`);
    return `${head}${begin}\n${of(results, budgets, before)}\n\n${end}${after}`;
  }, text);
}
