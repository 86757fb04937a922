import type { Command } from 'commander';
import { parseFilled, parsePositive, parseWhole } from '../cli/option-types';

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

/** @throws CliError naming value, limit and remedy */
export function parseBenchOptions(raw: RawOptions): BenchOptions {
  const gflops = parsePositive('--peak-gflops', raw.peakGflops, '67000 for an H100');
  const gbps = parsePositive('--peak-gbps', raw.peakGbps, '3350 for an H100');
  return {
    runs: parseWhole('--runs', raw.runs, 1, 1000),
    ladder: raw.ladder ?? false,
    stated: { ...(gflops ? { gflops } : {}), ...(gbps ? { gbps } : {}) },
    out: parseFilled('--out', raw.out),
    report: parseFilled('--report', raw.report),
    adapter: parseFilled('--adapter', raw.adapter),
  };
}
