/** The project's own boxes: `{ "a.png": [{ "label": "...", "box": [x, y, width, height] }] }`. */
import { shown } from '../../src/errors';
import { CliError } from '../errors';
import type { Annotations } from './types';

interface OwnObject {
  readonly label: string;
  readonly box: readonly [number, number, number, number];
}

/** @throws CliError naming the image whose list is wrong */
export function ownAnnotations(path: string, json: object): Annotations {
  const lists = Object.entries(json).map(([file, list]: [string, unknown]) => {
    if (!isOwnList(list)) {
      throw new CliError(
        `--boxes ${path}: "${file}" must be a list of { "label": "...", "box": [x, y, width, height] } with ` +
          `sizes above 0, is ${shown(list)}.`,
      );
    }
    const objects = list.map(({ label, box: [x, y, width, height] }) => ({
      label,
      box: { x, y, width, height },
    }));
    return [file, objects] as const;
  });
  return { objects: new Map(lists), ofWholeSet: false, notes: [] };
}

function isOwnList(list: unknown): list is readonly OwnObject[] {
  return (
    Array.isArray(list) &&
    list.every(
      (one: { label?: unknown; box?: unknown }) =>
        typeof one?.label === 'string' &&
        Array.isArray(one.box) &&
        one.box.length === 4 &&
        one.box.every(Number.isFinite) &&
        one.box[2] > 0 &&
        one.box[3] > 0,
    )
  );
}
