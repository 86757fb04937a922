import { usageError } from '../../cli/errors';
import { parseList, parseName } from '../../cli/option-types';
import { writeJson } from '../write';
import { gpuColumns, predictions } from './predictions';
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
}

const ALL = Object.keys(CHIPS) as Chip[];

/**
 * Compiles the kernels of a GPU for chips that are not there, prints what they need, and writes it to a file, from which
 * `--from` takes it into a report.
 */
export async function benchIsa(
  { isa, isaText, chips: names, set }: RawIsaOptions,
  out: string | undefined,
  signal: AbortSignal,
): Promise<void> {
  const chips = names ? parseList(names).map((name) => parseName('--chips', name, ALL)) : ALL;
  const values = set === undefined ? {} : valuesOf(set);
  const kernels = typeof isa === 'string' ? parseList(isa) : undefined;
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
    console.log(textTable(gpuColumns, predictions(results.ways)));
  }
  // Instructions are to be read now, and make a file large.
  if (out) writeJson(out, { isa: withoutTexts(results) });
}

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
