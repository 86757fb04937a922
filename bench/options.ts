import { Command } from 'commander';
import { usageError } from '../cli/errors';

/** What every way to run the bench takes. */
export interface BenchOptions {
  readonly runs: number;
  readonly ladder: boolean;
  readonly stated: { readonly gflops?: number; readonly gbps?: number };
  readonly out: string | undefined;
  readonly report: string | undefined;
  /** Of Dawn only: part of the adapter's name. */
  readonly adapter: string | undefined;
}

/** As commander gives them. */
export interface RawOptions {
  readonly runs: string;
  readonly ladder?: boolean;
  readonly peakGflops?: string;
  readonly peakGbps?: string;
  readonly out?: string;
  readonly report?: string;
  readonly adapter?: string;
}

/** Adds the options that {@link parseBenchOptions} reads. */
export function withBenchOptions(command: Command): Command {
  return command
    .option(
      '--runs <n>',
      'runs of each measurement, after one warm-up; 3 of what takes seconds',
      '5',
    )
    .option('--ladder', 'only 3x3 convolution and the fully connected layer, rung by rung')
    .option('--peak-gflops <n>', "the card's peak by its data sheet, f32, in GFLOP/s")
    .option('--peak-gbps <n>', "the card's memory bandwidth by its data sheet, in GB/s")
    .option('--out <file>', 'JSON file of results')
    .option('--report <file>', 'HTML report; default: beside the JSON')
    .option('--adapter <name>', 'with --dawn: the adapter whose name contains this');
}

/** A command that throws instead of ending the process, so that errors look like everywhere else. */
export function benchCommand(name: string, description: string): Command {
  return new Command()
    .name(name)
    .description(description)
    .allowExcessArguments(false)
    .configureOutput({ writeErr: () => {} })
    .exitOverride();
}

/** @throws CliError naming value, limit and remedy */
export function parseBenchOptions(raw: RawOptions): BenchOptions {
  const gflops = positive('--peak-gflops', raw.peakGflops, '67000 for an H100');
  const gbps = positive('--peak-gbps', raw.peakGbps, '3350 for an H100');
  return {
    runs: wholeNumber('--runs', raw.runs, 1, 1000),
    ladder: raw.ladder ?? false,
    stated: { ...(gflops ? { gflops } : {}), ...(gbps ? { gbps } : {}) },
    out: filled('--out', raw.out),
    report: filled('--report', raw.report),
    adapter: filled('--adapter', raw.adapter),
  };
}

export function wholeNumber(option: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= most) return value;
  throw usageError(`${option} is "${text}": give a whole number from ${least} to ${most}.`);
}

function positive(option: string, text: string | undefined, example: string): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value) && value > 0) return value;
  throw usageError(`${option} is "${text}": give a number above 0, such as ${example}.`);
}

function filled(option: string, text: string | undefined): string | undefined {
  if (text === undefined || text.trim() !== '') return text;
  throw usageError(`${option} is empty: give it a value or leave it out.`);
}
