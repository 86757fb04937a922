/// npm run fuzz: gives the library and the command line anything, for as long as it is told, from fresh seeds.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { newCommand, parsed } from '../../cli/command';
import { runCommand } from '../../cli/errors';
import { parsePositive, parseWhole } from '../../cli/option-types';
import { projectRoot } from '../../cli/server';
import { described, watchCases } from './watch';

interface Options {
  minutes: string;
  seed?: string;
  target?: string;
  path?: string;
}

/** Cases of one process, and of one seed. */
const CASES = 5000;

const program = newCommand(
  'fuzz',
  'Gives everything that reads files and words what it does not expect.',
)
  .option('--minutes <n>', 'how long', '10')
  .option('--target <name>', 'only this one, such as pickle')
  .option('--seed <n>', 'of the first process (default: a fresh one)')
  .option('--path <path>', 'a single case of --target and --seed, as a failure prints it');

await runCommand(async (signal) => {
  const { minutes, target, path, seed: asked } = parsed<Options>(program);
  const end = performance.now() + 60_000 * (parsePositive('--minutes', minutes, '10') ?? 0);
  const most = 2 ** 31 - 1;
  let seed =
    asked === undefined ? Math.floor(Math.random() * most) : parseWhole('--seed', asked, 0, most);
  let total = 0;
  do {
    const { cases, found } = await watchCases({ target, seed, cases: CASES, path }, signal);
    total += cases;
    if (found) {
      if (found.file) {
        const folder = join(projectRoot, 'out/fuzz');
        const file = join(folder, `${found.target}-${found.seed}.bin`);
        mkdirSync(folder, { recursive: true });
        writeFileSync(file, found.file);
        console.log(`The file is ${file}: with its test it belongs into test/fixtures.`);
      }
      console.log(described(found));
      process.exitCode = 1;
      return;
    }
    console.log(`seed ${seed}: ${cases} cases, ${total} in all, nothing found`);
    seed = Math.floor(Math.random() * most);
  } while (path === undefined && performance.now() < end);
});
