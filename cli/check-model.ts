import { join } from 'node:path';
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import type { CheckResult } from './check';
import { CliError, runCommand } from './errors';
import { DEFAULT_MODEL, findModel, readNetwork } from './options';
import type { Opened } from './page';
import { ProgressDisplay } from './progress';
import { fileAddress, projectRoot } from './server';
import { Session } from './session';

/** What the embedded model promises. */
const LEAST_ACCURACY = 0.97;
const LEAST_ENERGY_INSIDE = 0.6;

/** The README's figures start at this seed, far from all seeds used in training. */
const FIRST_MEASURED_SEED = 2_000_000;

const program = new Command('check-model')
  .description('Measures the embedded model on scenes it has never seen, on our own kernels.')
  .option('--scenes <count>', 'one-object scenes to classify', count, 200)
  .option('--pairs <count>', 'two-object scenes to explain, both objects each', count, 5)
  .option('--seed-start <seed>', 'seed of the first scene', whole, FIRST_MEASURED_SEED)
  .exitOverride()
  .configureOutput({ outputError: () => {} });

function whole(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(text);
}

function count(text: string): number {
  if (whole(text) === 0) throw new InvalidArgumentError('It must be at least 1.');
  return whole(text);
}

async function check(signal: AbortSignal): Promise<void> {
  try {
    program.parse();
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) process.exit(0);
    throw new CliError(error.message.replace(/^error: /, ''), 2);
  }
  const options = program.opts<{ scenes: number; pairs: number; seedStart: number }>();
  const source = findModel(DEFAULT_MODEL, join(projectRoot, 'weights'));
  if (source.kind !== 'file') throw new CliError(`${DEFAULT_MODEL} is not in weights/.`);
  await readNetwork(source, signal);

  const display = new ProgressDisplay();
  let session: Session | undefined;
  try {
    session = await Session.open({ signal, onStep: display.update.bind(display) });
    const opened = await session.call('open', fileAddress(session.url, source.path));
    const result = await session.call('check', options);
    display.stop();
    console.log(table(opened, result));
    if (result.accuracy < LEAST_ACCURACY || result.energyInside < LEAST_ENERGY_INSIDE) {
      throw new CliError('The model does not reach what is demanded: see the table.');
    }
  } finally {
    display.stop();
    await session?.close();
  }
}

function table({ adapter, model }: Opened, { scenes, pairs, ...result }: CheckResult): string {
  const percent = (value: number): string => `${(100 * value).toFixed(1)} %`;
  const rows = [
    ['measure', 'on', 'result', 'at least'],
    [
      'top-1 accuracy',
      `${scenes.count} one-object scenes`,
      percent(result.accuracy),
      percent(LEAST_ACCURACY),
    ],
    [
      'energy in the box',
      `${pairs.length / 2} two-object scenes`,
      percent(result.energyInside),
      percent(LEAST_ENERGY_INSIDE),
    ],
  ];
  const widths = [0, 1, 2, 3].map((i) => Math.max(...rows.map((row) => (row[i] as string).length)));
  const lines = rows.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i] as number))
      .join('  ')
      .trimEnd(),
  );
  return [
    `${model.name} on ${adapter.description || `${adapter.vendor} ${adapter.architecture}`}`,
    '',
    ...lines,
    '',
    ...scenes.wrong.map(
      ({ seed, label, answer }) => `seed ${seed}: a ${label}, taken for ${answer}`,
    ),
    ...pairs.map(
      ({ seed, label, share }) => `seed ${seed}, ${label}: ${percent(share)} in the box`,
    ),
  ].join('\n');
}

await runCommand(check);
