/**
 * COCO's instances (https://cocodataset.org/#format-data): images, categories, and annotations with
 * `bbox: [x, y, width, height]`, in pixels counted from 0, as fractions.
 */
import { shown } from '../../src/errors';
import { CliError } from '../errors';
import { counted } from '../words';
import type { Annotated, Annotations } from './types';

const MEMBERS = ['images', 'annotations', 'categories'] as const;

type Member = (typeof MEMBERS)[number];
type Entry = Readonly<Record<string, unknown>>;

export function isCoco(json: object): boolean {
  return MEMBERS.some((name) => name in json) && !namesImages(json);
}

/** As the project's own format does. */
function namesImages(json: object): boolean {
  return Object.keys(json).some((name) => /\.(png|jpe?g)$/i.test(name));
}

/**
 * Crowds, whose box is of many objects, and boxes without a size, of which COCO itself has a few, are left out.
 * @throws CliError naming entry, field and remedy
 */
export function cocoAnnotations(path: string, json: object): Annotations {
  const [images, annotations, categories] = MEMBERS.map((name) => listOf(path, json, name)) as [
    Entry[],
    Entry[],
    Entry[],
  ];
  const files = namesById(path, 'images', images, 'file_name');
  const labels = namesById(path, 'categories', categories, 'name');
  const objects = new Map<string, Annotated[]>([...files.values()].map((file) => [file, []]));
  let crowds = 0;
  let empty = 0;
  for (const [i, annotation] of annotations.entries()) {
    const { image_id, category_id, bbox, iscrowd } = annotation;
    const wrong = (field: string, remedy: string): CliError =>
      new CliError(
        `--boxes ${path}: annotations[${i}]: "${field}" is ${shown(annotation[field])}: ${remedy}.`,
      );
    const file = files.get(image_id);
    if (file === undefined) throw wrong('image_id', 'give the "id" of one of "images"');
    const label = labels.get(category_id);
    if (label === undefined) throw wrong('category_id', 'give the "id" of one of "categories"');
    if (!isBox(bbox)) throw wrong('bbox', 'give [x, y, width, height] in pixels');
    const [x, y, width, height] = bbox;
    if (iscrowd === 1) crowds++;
    else if (width === 0 || height === 0) empty++;
    else objects.get(file)?.push({ label, box: { x, y, width, height } });
  }
  const notes = [
    ...(crowds > 0 ? [`${counted(crowds, 'crowd')} left out`] : []),
    ...(empty > 0 ? [`${counted(empty, 'box', 'boxes')} without a size left out`] : []),
  ];
  return { objects, ofWholeSet: true, notes };
}

function listOf(path: string, json: object, name: Member): Entry[] {
  const list = (json as Entry)[name];
  if (Array.isArray(list) && list.every((one) => typeof one === 'object' && one !== null)) {
    return list;
  }
  throw new CliError(
    `--boxes ${path}: it looks like COCO's instances, but "${name}" is ${shown(list)}: give a list of objects. ` +
      `Of COCO's files those called instances_....json have boxes.`,
  );
}

function namesById(
  path: string,
  list: Member,
  entries: readonly Entry[],
  field: 'file_name' | 'name',
): Map<unknown, string> {
  const names = new Map<unknown, string>();
  for (const [i, entry] of entries.entries()) {
    const name = entry[field];
    const isKnown = entry.id !== undefined && !names.has(entry.id);
    if (isKnown && typeof name === 'string' && name !== '') {
      names.set(entry.id, name);
      continue;
    }
    const [wrong, remedy] = isKnown
      ? [field, 'give a name']
      : ['id', 'give each its own, which "annotations" call it by'];
    throw new CliError(
      `--boxes ${path}: ${list}[${i}]: "${wrong}" is ${shown(entry[wrong])}: ${remedy}.`,
    );
  }
  return names;
}

function isBox(bbox: unknown): bbox is readonly [number, number, number, number] {
  return (
    Array.isArray(bbox) &&
    bbox.length === 4 &&
    bbox.every(Number.isFinite) &&
    bbox[2] >= 0 &&
    bbox[3] >= 0
  );
}
