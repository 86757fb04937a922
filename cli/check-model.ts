import { adapterName } from '../src/gpu/facts';
import type { CheckResult } from './check';
import { newCommand, parsed } from './command';
import { CliError, runCommand } from './errors';
import { parseWhole } from './option-types';
import { DEFAULT_MODEL, findModelOnDisk, readNetwork } from './options';
import type { Opened } from './page-api';
import { ProgressDisplay } from './progress';
import { fileAddress } from './server';
import { Session } from './session';
import { percent, printable } from './words';

/** What the embedded model promises. */
const LEAST_ACCURACY = 0.97;
const LEAST_ENERGY_INSIDE = 0.6;

/** The README's figures start at this seed, far from all seeds used in training. */
const FIRST_MEASURED_SEED = 2_000_000;

const program = newCommand(
  'check-model',
  'Measures the embedded model on scenes it has never seen, on our own kernels.',
)
  .option('--scenes <count>', 'one-object scenes to classify', '200')
  .option('--pairs <count>', 'two-object scenes to explain, both objects each', '5')
  .option('--seed-start <seed>', 'seed of the first scene', String(FIRST_MEASURED_SEED));

async function check(signal: AbortSignal): Promise<void> {
  const given = parsed<{ scenes: string; pairs: string; seedStart: string }>(program);
  const options = {
    scenes: parseWhole('--scenes', given.scenes, 1),
    pairs: parseWhole('--pairs', given.pairs, 1),
    seedStart: parseWhole('--seed-start', given.seedStart, 0),
  };
  const source = findModelOnDisk(DEFAULT_MODEL);
  await readNetwork(source, signal);

  const display = new ProgressDisplay();
  let session: Session | undefined;
  try {
    session = await Session.open({ signal, onStep: display.update.bind(display) });
    const opened = await session.call('open', fileAddress(session.url, source.path));
    const result = await session.call('check', options);
    display.stop();
    console.log(printable(table(opened, result), 'lines'));
    if (result.accuracy < LEAST_ACCURACY || result.energyInside < LEAST_ENERGY_INSIDE) {
      throw new CliError('The model does not reach what is demanded: see the table.');
    }
  } finally {
    display.stop();
    await session?.close();
  }
}

function table({ adapter, model }: Opened, { scenes, pairs, ...result }: CheckResult): string {
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
    `${model.name} on ${adapterName(adapter)}`,
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
