/** Reads boxes in whichever format they are, told by their content. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { CliError } from '../errors';
import { cocoAnnotations, isCoco } from './coco';
import { ownAnnotations } from './own';
import type { Annotations } from './types';
import { vocAnnotations } from './voc';

/**
 * @param path a JSON file of the project's own format or of COCO's, an XML file of Pascal VOC's, or a folder of such
 * @throws CliError for what is none of these, or wrong in one
 */
export function readAnnotations(path: string): Annotations {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (!stats) throw new CliError(`--boxes ${path}: there is no such file or folder.`);
  if (stats.isDirectory()) {
    const names = readdirSync(path).filter((name) => /\.xml$/i.test(name));
    if (names.length > 0)
      return vocAnnotations(textsOf(names.sort().map((name) => join(path, name))));
    throw new CliError(
      `--boxes ${path}: there is no XML file in this folder: give Pascal VOC's annotations, or a JSON file.`,
    );
  }
  const [[, text]] = [...textsOf([path])] as [readonly [string, string]];
  if (text.trimStart().startsWith('<')) return vocAnnotations([[path, text]]);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new CliError(`--boxes ${path} cannot be read as JSON: ${(error as Error).message}`);
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new CliError(
      `--boxes ${path}: it must be an object of lists by file name, COCO's instances, or Pascal VOC's XML.`,
    );
  }
  return isCoco(json) ? cocoAnnotations(path, json) : ownAnnotations(path, json);
}

/** One after the other: there may be tens of thousands. */
function* textsOf(paths: readonly string[]): Generator<readonly [string, string]> {
  for (const path of paths) {
    try {
      yield [path, readFileSync(path, 'utf8').replace(/^\ufeff/, '')];
    } catch (error) {
      throw new CliError(`--boxes ${path} cannot be read: ${(error as Error).message}`);
    }
  }
}
