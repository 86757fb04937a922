import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { usageError } from '../../cli/errors';
import { parseList, parseName } from '../../cli/option-types';
import { projectRoot } from '../../cli/server';
import { writeJson, writeText } from '../write';
import { budgetsOf } from './budgets';
import { withTables } from './docs';
import { predictionColumns, predictions } from './predictions';
import { compileKernels } from './run';
import { COLUMNS, rowsOf, textTable } from './table';
import { installTools } from './tools';
import { CHIPS, type Chip, type IsaResults, type KernelCode } from './types';

/** As commander gives them. */
export interface RawIsaOptions {
  /** True for all kernels, or parts of their names. */
  readonly isa?: string | true;
  readonly isaText?: boolean;
  readonly chips?: string;
  readonly set?: string;
  readonly keep?: boolean;
}

const ALL = Object.keys(CHIPS) as Chip[];

/**
 * Compiles the kernels of a GPU for chips that are not there, prints what they need, and writes it to a file, from which
 * `--from` takes it into a report.
 */
export async function benchIsa(
  { isa, isaText, chips: names, set, keep }: RawIsaOptions,
  out: string | undefined,
  signal: AbortSignal,
): Promise<void> {
  const chips = names ? parseList(names).map((name) => parseName('--chips', name, ALL)) : ALL;
  const values = set === undefined ? {} : valuesOf(set);
  const kernels = typeof isa === 'string' ? parseList(isa) : undefined;
  if (keep && (kernels || names || set)) {
    throw usageError(
      '--keep is for all kernels on all chips as they are chosen: leave out the others.',
    );
  }
  const results = await compileKernels(await installTools(), { kernels, values }, chips, signal);
  const rows = rowsOf(results);
  console.log(textTable(COLUMNS, rows));
  if (isaText) {
    for (const { name, chip, hotLoop } of rows) {
      console.log(
        `\n${name}, ${CHIPS[chip]}: the hot loop\n${hotLoop?.text ?? 'multiplies nowhere'}`,
      );
    }
  }
  if (!kernels) {
    console.log('\nPredicted, not measured: seconds for 512 masks of VGG-16, nothing skipped\n');
    const { ways } = results;
    console.log(textTable(predictionColumns(ways), predictions(ways, budgetsOf(results))));
  }
  if (out) writeJson(out, { isa: withoutTexts(results) });
  if (keep) keepAll(results);
}

/** Puts the results where the documentation, predictions and tests have them. */
function keepAll(results: IsaResults): void {
  const [kept, before, budgets, docs] = [
    'bench/results/isa.json',
    'bench/results/isa-before.json',
    'bench/isa/budgets.json',
    DOCS,
  ].map((path) => join(projectRoot, path)) as [string, string, string, string];
  writeJson(kept, { isa: withoutTexts(results) });
  writeText(budgets, `${JSON.stringify(budgetsOf(results), null, 2)}\n`);
  const { isa: old } = JSON.parse(readFileSync(before, 'utf8')) as { isa: IsaResults };
  writeText(docs, withTables(readFileSync(docs, 'utf8'), results, old));
}

const DOCS = 'docs/gpu-kernels.md';

/** Instructions are to be read now, and make a file large. */
function withoutTexts({ kernels, ...others }: IsaResults): IsaResults {
  const short = (code: KernelCode): KernelCode =>
    code.hotLoop ? { ...code, hotLoop: { ...code.hotLoop, text: '' } } : code;
  return {
    ...others,
    kernels: kernels.map((kernel) => ({
      ...kernel,
      code: Object.fromEntries(
        Object.entries(kernel.code).map(([chip, code]) => [chip, short(code)]),
      ),
    })),
  };
}

/** @throws CliError for what is no list of NAME=number */
function valuesOf(text: string): Record<string, number> {
  return Object.fromEntries(
    parseList(text).map((part) => {
      const [, name, value] = /^(\w+)=(\d+)$/.exec(part) ?? [];
      if (name === undefined)
        throw usageError(`--set "${text}": give values such as ROWS=16,COLS=8.`);
      return [name, Number(value)];
    }),
  );
}
