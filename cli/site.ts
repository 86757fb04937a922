/** Builds the site. */
import { resolve } from 'node:path';
import { buildSite, isOccupied } from '../vite/site';
import { newCommand, parsed } from './command';
import { CliError, runCommand } from './errors';

const program = newCommand(
  'build:site',
  'Builds the explainer page as files for any web server, under any path.',
).option('--out <folder>', 'where to, emptied first', 'out/site');

async function site(): Promise<void> {
  const folder = resolve(parsed<{ out: string }>(program).out);
  if (isOccupied(folder)) {
    throw new CliError(
      `--out ${folder} holds something else, which would be lost: name a folder that is empty or not there.`,
    );
  }
  await buildSite(folder);
  console.log(`The site is in ${folder}: put its files on any web server.`);
}

await runCommand(site);
