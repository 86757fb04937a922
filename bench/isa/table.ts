import type { Column } from '../report/html';
import { KINDS } from './hot-loop';
import { CHIPS, type Chip, type IsaResults, type KernelCode, type KernelName } from './types';

/** One kernel on one chip. */
export interface IsaRow extends KernelCode {
  readonly name: string;
  readonly chip: Chip;
}

/** As it is told apart from others of the same kernel: by its tile, and by a layer that it computes. */
export function nameOf({ kernel, values, labels }: KernelName): string {
  const { ROWS, COLS } = values;
  const tile = ROWS && COLS ? ` ${8 * ROWS}x${8 * COLS}` : '';
  return `${kernel}${tile} (${labels[0]}${labels.length > 1 ? ', ...' : ''})`;
}

export function rowsOf({ kernels, chips }: IsaResults): IsaRow[] {
  return kernels.flatMap((own) =>
    chips.flatMap(({ chip }) => {
      const code = own.code[chip];
      return code ? [{ ...code, chip, name: nameOf(own) }] : [];
    }),
  );
}

/** A kernel on one chip, as it was and as it is. */
export interface IsaPair {
  readonly kernel: string;
  readonly chip: Chip;
  readonly before: KernelCode;
  readonly now: KernelCode;
}

/** Of the kernels that there were, each in the first of its tiles. */
export function pairsOf(before: IsaResults, now: IsaResults): IsaPair[] {
  const first = (of: IsaResults, kernel: string) => of.kernels.find((own) => own.kernel === kernel);
  return [...new Set(before.kernels.map(({ kernel }) => kernel))].flatMap((kernel) =>
    before.chips.flatMap(({ chip }) => {
      const [old, own] = [before, now].map((of) => first(of, kernel)?.code[chip]);
      return old && own ? [{ kernel, chip, before: old, now: own }] : [];
    }),
  );
}

const fixed = (value: number | undefined, digits: number): string => value?.toFixed(digits) ?? '';

/** The table in the order of its columns: for the terminal, the report and the docs. */
export const COLUMNS: readonly Column<IsaRow>[] = [
  { head: 'kernel', of: ({ name }) => name },
  { head: 'chip', of: ({ chip }) => `${CHIPS[chip]}` },
  { head: 'VGPRs', of: ({ vgprs }) => String(vgprs), isNumber: true },
  { head: 'spills', of: ({ spills }) => String(spills), isNumber: true },
  { head: 'waves', of: ({ waves }) => String(waves), isNumber: true },
  { head: 'LDS', of: ({ lds }) => String(lds), isNumber: true },
  { head: 'code', of: ({ codeBytes }) => String(codeBytes), isNumber: true },
  ...KINDS.map(
    (kind): Column<IsaRow> => ({
      head: kind,
      of: ({ hotLoop }) => fixed(hotLoop?.counts[kind], 0),
      isNumber: true,
    }),
  ),
  {
    head: 'FMA share',
    of: ({ hotLoop }) => (hotLoop ? `${fixed(100 * hotLoop.share, 0)} %` : ''),
    isNumber: true,
  },
  { head: 'LDS B/FMA', of: ({ hotLoop }) => fixed(hotLoop?.ldsBytes, 2), isNumber: true },
  { head: 'memory B/FMA', of: ({ hotLoop }) => fixed(hotLoop?.memoryBytes, 2), isNumber: true },
  {
    head: 'inverse throughput',
    of: ({ inverseThroughput }) => String(inverseThroughput),
    isNumber: true,
  },
];

const percent = ({ hotLoop }: KernelCode): string => fixed(100 * (hotLoop?.share ?? 0), 0);

const change = (head: string, of: (code: KernelCode) => string): Column<IsaPair> => ({
  head,
  of: ({ before, now }) => `${of(before)} -> ${of(now)}`,
  isNumber: true,
});

/** What changed, for the docs. */
export const BEFORE_AND_NOW: readonly Column<IsaPair>[] = [
  { head: 'kernel', of: ({ kernel }) => kernel },
  { head: 'chip', of: ({ chip }) => CHIPS[chip] },
  change('FMA share, %', percent),
  change('VGPRs', ({ vgprs }) => String(vgprs)),
  change('waves', ({ waves }) => String(waves)),
  change('instructions', ({ instructions }) => String(instructions)),
  change('LDS B/FMA', ({ hotLoop }) => fixed(hotLoop?.ldsBytes, 2)),
  change('memory B/FMA', ({ hotLoop }) => fixed(hotLoop?.memoryBytes, 2)),
];

/** A table for a terminal. */
export function textTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string {
  const cells = [
    columns.map(({ head }) => head),
    ...rows.map((row) => columns.map(({ of }) => of(row))),
  ];
  const widths = columns.map((_, c) =>
    Math.max(...cells.map((line) => (line[c] as string).length)),
  );
  const lines = cells.map((line) =>
    line.map((cell, c) => {
      const width = widths[c] as number;
      return columns[c]?.isNumber ? cell.padStart(width) : cell.padEnd(width);
    }),
  );
  return lines.map((line) => line.join('  ').trimEnd()).join('\n');
}

/** The same in Markdown. */
export function markdownTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string {
  const lines = [
    columns.map(({ head }) => head),
    columns.map(({ isNumber }) => (isNumber ? '--:' : '---')),
    ...rows.map((row) => columns.map(({ of }) => of(row))),
  ];
  return lines.map((line) => `| ${line.join(' | ')} |`).join('\n');
}
