/** Where the shards of an evaluation are, and what each says of itself. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CliError } from '../errors';
import type { Settings } from '../kept-settings';
import { writeWhole } from '../output';
import type { Shard } from '../shard';
import type { Counts } from './measure-all';
import type { Planned } from './subjects';

const NAME = /^shard-(\d+)-of-(\d+)$/;

export function shardFolder(folder: string, { number, of }: Shard): string {
  return join(folder, `shard-${number}-of-${of}`);
}

/** Shards that have a folder there. */
export function shardsIn(folder: string): Shard[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder).flatMap((name) => {
    const [, number, of] = NAME.exec(name) ?? [];
    return number === undefined ? [] : [{ number: Number(number), of: Number(of) }];
  });
}

/** With what makes it sure that all shards are of one list: its length, and the digest of its images and boxes. */
export function settingsOfShard(
  settings: Settings,
  { number, of }: Shard,
  { sanity, pictures }: Pick<Counts, 'pictures' | 'sanity'>,
  subjects: readonly Planned[],
): Settings {
  const list = subjects.map(({ name, objects }) => [name, objects]);
  return {
    ...settings,
    sanity,
    pictures,
    imageCount: subjects.length,
    imagesAndBoxesSha256: createHash('sha256').update(JSON.stringify(list)).digest('hex'),
    shard: `${number}/${of}`,
  };
}

const IMAGES = 'images.json';

/** Writes down which images are a shard's own. */
export function keepImages(folder: string, names: readonly string[]): void {
  mkdirSync(folder, { recursive: true });
  writeWhole(join(folder, IMAGES), `${JSON.stringify(names)}\n`);
}

/** @throws CliError where the shard has not said so yet */
export function readImages(folder: string): string[] {
  try {
    return JSON.parse(readFileSync(join(folder, IMAGES), 'utf8')) as string[];
  } catch (error) {
    throw new CliError(
      `${join(folder, IMAGES)} cannot be read (${(error as Error).message}): run this shard again.`,
    );
  }
}
