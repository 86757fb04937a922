import { adapterName } from '../src/gpu/facts';
import type { Answer, CheckResult, MapFigures } from './check';
import { newCommand, parsed } from './command';
import { CliError, runCommand } from './errors';
import { parseWhole } from './option-types';
import { DEFAULT_MODEL, findModelOnDisk, readNetwork } from './options';
import type { Opened } from './page-api';
import { ProgressDisplay } from './progress';
import { fileAddress } from './server';
import { Session } from './session';
import { percent, printable } from './words';

/** What the embedded model promises. What its maps are like is measured, not demanded: it is not trained for them. */
const LEAST_ACCURACY = 0.97;

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
    console.log(printable(report(opened, result), 'lines'));
    const accuracy = share(result.answers, right);
    if (accuracy < LEAST_ACCURACY) {
      throw new CliError(
        `${percent(accuracy)} of the scenes are named rightly; at least ${percent(LEAST_ACCURACY)} are demanded.`,
      );
    }
  } finally {
    display.stop();
    await session?.close();
  }
}

const right = ({ label, answer }: Answer): boolean => label === answer;

function share<T>(rows: readonly T[], holds: (row: T) => boolean): number {
  return rows.filter(holds).length / rows.length;
}

function report({ adapter, model }: Opened, { answers, maps }: CheckResult): string {
  const mean = (of: (row: MapFigures) => number): string =>
    percent(maps.reduce((sum, row) => sum + of(row), 0) / maps.length);
  const labels = [...new Set(answers.map(({ label }) => label))].sort();
  const classes = labels.map((label) => {
    const own = answers.filter((one) => one.label === label);
    return [label, `${own.length} scenes`, percent(share(own, right))];
  });
  return [
    `${model.name} on ${adapterName(adapter)}`,
    '',
    `One object, ${answers.length} scenes`,
    ...aligned([
      ['right', `at least ${percent(LEAST_ACCURACY)}`, percent(share(answers, right))],
      ...classes,
    ]),
    '',
    `Two objects, ${maps.length / 2} scenes, both asked for, Score-CAM`,
    ...aligned([
      ['energy in the box', mean(({ inside }) => inside)],
      ["energy in the other's box", mean(({ elsewhere }) => elsewhere)],
      ['maximum in the box', percent(share(maps, ({ hit }) => hit))],
      ['Average Drop', mean((row) => row.drop)],
      ['Average Increase', percent(share(maps, ({ increased }) => increased))],
    ]),
    '',
    ...answers
      .filter((one) => !right(one))
      .map(
        ({ seed, label, answer, probability }) =>
          `seed ${seed}: a ${label}, taken for ${answer} (${percent(probability)})`,
      ),
  ].join('\n');
}

/** Rows of words, each column as wide as its widest. */
function aligned(rows: readonly string[][]): string[] {
  const widths = (rows[0] as string[]).map((_, i) =>
    Math.max(...rows.map((row) => (row[i] as string).length)),
  );
  return rows.map((row) =>
    `  ${row.map((cell, i) => cell.padEnd(widths[i] as number)).join('  ')}`.trimEnd(),
  );
}

await runCommand(check);
