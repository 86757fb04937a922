/** Which boxes are of use: those of images that are there, and of classes that the model knows. */
import { posix } from 'node:path';
import { CliError, usageError } from '../errors';
import { counted } from '../words';
import type { Annotated, Annotations } from './types';

/** Names of categories that are told one by one. */
const MOST_TOLD = 10;

export interface Matched {
  readonly objects: ReadonlyMap<string, readonly Annotated[]>;
  /** What was left out, for people. */
  readonly notes: readonly string[];
}

/**
 * @param path where the annotations were read from, for messages
 * @param images from the folder on; an image is known by its path, or by its name if one alone is called so
 * @throws CliError where an image of the project's own format is not there, or nothing is of use
 */
export function matched(
  path: string,
  { objects, ofWholeSet, notes }: Annotations,
  folder: string,
  images: readonly string[],
  labels: readonly string[],
): Matched {
  const find = finder(images);
  const found = new Map<string, readonly Annotated[]>();
  const strangers = new Map<string, number>();
  let absent = 0;
  for (const [name, own] of objects) {
    const image = find(name);
    if (image === undefined) {
      if (!ofWholeSet)
        throw usageError(`--boxes ${path}: there is no image "${name}" in ${folder}.`);
      absent++;
      continue;
    }
    const known = own.filter(({ label }) => labels.includes(label));
    for (const { label } of own) {
      if (!labels.includes(label)) strangers.set(label, (strangers.get(label) ?? 0) + 1);
    }
    found.set(image, [...(found.get(image) ?? []), ...known]);
  }
  if (found.size === 0 && objects.size > 0) {
    const [first] = objects.keys();
    throw new CliError(
      `--boxes ${path}: none of its ${objects.size} images, such as "${first}", is in ${folder}: give the folder that ` +
        'they are in.',
    );
  }
  const boxes = [...found.values()].reduce((sum, own) => sum + own.length, 0);
  if (boxes === 0 && strangers.size > 0) {
    throw new CliError(
      `--boxes ${path}: the model has no class ${namesOf(strangers)}: give boxes with labels such as ` +
        `${labels.slice(0, 5).join(', ')}.`,
    );
  }
  return {
    objects: found,
    notes: [
      ...notes,
      ...(absent > 0
        ? [`${absent} of its ${counted(objects.size, 'image')} are not in ${folder}`]
        : []),
      ...(strangers.size > 0 ? [`the model has no class ${namesOf(strangers)}; left out`] : []),
    ],
  };
}

/** `"person" (262 boxes), "dog" (7 boxes)`, the most frequent first. */
function namesOf(counts: ReadonlyMap<string, number>): string {
  const sorted = [...counts].sort(([, a], [, b]) => b - a);
  const told = sorted
    .slice(0, MOST_TOLD)
    .map(([name, count]) => `"${name}" (${counted(count, 'box', 'boxes')})`);
  const more = sorted.slice(MOST_TOLD);
  const rest = more.reduce((sum, [, count]) => sum + count, 0);
  return told.join(', ') + (more.length > 0 ? ` and ${more.length} more (${rest} boxes)` : '');
}

function finder(images: readonly string[]): (name: string) => string | undefined {
  const paths = new Set(images);
  const byName = new Map<string, string | undefined>();
  for (const image of images) {
    const name = posix.basename(image);
    byName.set(name, byName.has(name) ? undefined : image);
  }
  return (name) => (paths.has(name) ? name : byName.get(posix.basename(name)));
}
