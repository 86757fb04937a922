/** `npm run bench`: docs/benchmarking.md says what is measured and how. */
import { join } from 'node:path';
import { newCommand, parsed } from '../cli/command';
import { runCommand, usageError } from '../cli/errors';
import { parseWhole } from '../cli/option-types';
import { projectRoot } from '../cli/server';
import type { RawIsaOptions } from './isa/command';
import { type BenchOptions, parseBenchOptions, type RawOptions, withBenchOptions } from './options';

interface AllOptions extends RawOptions, RawIsaOptions {
  readonly dawn?: boolean;
  readonly bundle?: string;
  readonly from?: readonly string[];
  readonly weights?: boolean;
  readonly peers?: boolean;
  readonly networks?: boolean;
  readonly channels: string;
}

const command = withBenchOptions(
  newCommand(
    'npm run bench --',
    'Times kernels, VGG-16 and the embedded model on the adapter headless Chrome offers; writes JSON and a report.',
  ),
)
  .option('--dawn', 'by Dawn in Node instead of in Chrome')
  .option(
    '--bundle <folder>',
    'with --dawn: only build it, to be carried to a machine with Node and a dawn.node',
  )
  .option(
    '--from <files...>',
    'measure nothing: a report of these results, the first with what the others add',
  )
  .option('--weights', 'instead, loads VGG-16 as f32, f16 and int8: time, memory, what it changes')
  .option('--channels <n>', 'with --weights: masked passes of VGG-16 to compare maps by', '8')
  .option('--peers', 'instead, runs VGG-16 by onnxruntime-web and TensorFlow.js too; takes minutes')
  .option(
    '--networks',
    'the same of MobileNet v1 and ResNet-18, in turn, and an explanation by MobileNet v1 0.25',
  )
  .option(
    '--isa [kernels]',
    'instead, compiles the kernels of GPUs, or those called like this, for chips of AMD that need not be there',
  )
  .option('--isa-text', 'with --isa: prints the instructions of hot loops')
  .option('--chips <names>', 'with --isa: navi31, navi21, vega10 or some of them; default: all')
  .option('--set <values>', 'with --isa: what kernels are specialised for, such as ROWS=16,COLS=8');

/** Parts are loaded when they are wanted, so that a mistake on the command line is told at once. */
async function main(signal: AbortSignal): Promise<void> {
  const raw = parsed<AllOptions>(command);
  const options = parseBenchOptions(raw);
  refuseUseless(raw);
  if (raw.isa) {
    const { benchIsa } = await import('./isa/command');
    return benchIsa(raw, options.out, signal);
  }
  if (raw.weights) {
    const channels = parseWhole('--channels', raw.channels, 1, 512);
    const { benchWeights } = await import('./weights');
    return benchWeights(channels, options.out);
  }
  if (raw.peers || raw.networks) {
    const { benchNetworks, benchPeers } = await import('./peers/compare');
    const bench = raw.peers ? benchPeers : benchNetworks;
    if (!(await bench(options.runs, options.out))) process.exitCode = 1;
    return;
  }
  const out = options.out ?? join(projectRoot, 'bench/results/last.json');
  if (raw.from) {
    const { readResults } = await import('./read');
    const { reportBeside, writeReport } = await import('./write');
    const file = readResults(raw.from);
    const report = options.report ?? reportBeside(raw.from[0] as string);
    if (options.out) (await import('./write')).writeResults(file, options.out, report);
    else writeReport(file, report);
    return;
  }
  if (raw.dawn) return dawn(raw, { ...options, out }, signal);
  const { benchInChrome } = await import('./chrome');
  await benchInChrome({ ...options, out }, signal);
}

async function dawn(
  { bundle: folder }: AllOptions,
  options: BenchOptions & { readonly out: string },
  signal: AbortSignal,
): Promise<void> {
  if (folder === undefined) {
    const { benchByDawn } = await import('./dawn/run');
    return benchByDawn(options, signal);
  }
  const { bundle } = await import('./dawn/bundle');
  await bundle(folder);
  console.log(`Built. There: node ${join(folder, 'bench.mjs')} --dawn-node path/to/dawn.node`);
}

/** @throws CliError for options that only matter together with another, which is not there */
function refuseUseless(raw: AllOptions): void {
  const needs = (option: string, given: unknown, other: string, has: unknown): void => {
    if (given === undefined || has) return;
    throw usageError(`${option} matters with ${other} only: add that, or leave it out.`);
  };
  needs('--bundle', raw.bundle, '--dawn', raw.dawn);
  needs('--adapter', raw.adapter, '--dawn', raw.dawn);
  needs('--isa-text', raw.isaText, '--isa', raw.isa);
  needs('--chips', raw.chips, '--isa', raw.isa);
  needs('--set', raw.set, '--isa', raw.isa);
  const kinds = [
    ['--weights', raw.weights],
    ['--peers', raw.peers],
    ['--networks', raw.networks],
    ['--isa', raw.isa],
    ['--dawn', raw.dawn],
    ['--from', raw.from],
  ] as const;
  const given = kinds.filter(([, has]) => has).map(([option]) => option);
  const withLadder =
    raw.ladder && (raw.weights || raw.peers || raw.networks || raw.isa) ? ['--ladder'] : [];
  const [first, second] = [...withLadder, ...given];
  if (second)
    throw usageError(`${first} and ${second} measure different things: give one of them.`);
}

await runCommand(main);
