import { readFileSync } from 'node:fs';
import { CliError } from '../cli/errors';
import { type BenchFile, FORMAT } from './measure/types';

/**
 * Results of the first file, with parts that only the others have, such as `peers`.
 * @throws CliError naming the file and what is wrong with it
 */
export function readResults(paths: readonly string[]): BenchFile {
  const files = paths.map(readJson);
  const main = files[0] as Partial<BenchFile>;
  if (main.format !== FORMAT || !Array.isArray(main.results)) {
    throw new CliError(
      `${paths[0]} has the format "${String(main.format)}", a report is made of "${FORMAT}": give a file that ` +
        '`npm run bench` wrote.',
    );
  }
  return Object.assign({}, ...files.reverse()) as BenchFile;
}

function readJson(path: string): object {
  try {
    const json: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (typeof json === 'object' && json !== null) return json;
  } catch (error) {
    throw new CliError(`${path} cannot be read: ${(error as Error).message}`);
  }
  throw new CliError(`${path} holds no results.`);
}
