/** What an evaluation is run on: drawn scenes, or images of a folder with or without boxes. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { TRAINING_SEEDS_END } from '../../weights/scenes';
import { CliError, usageError } from '../errors';
import { parseWhole } from '../option-types';
import { readImage } from '../options';
import type { Subject } from './types';

/** Drawn unless a number is given. */
export const DEFAULT_SCENES = 200;

type FileSubject = Extract<Subject, { kind: 'file' }>;

type Boxes = Readonly<Record<string, readonly { label: string; box: readonly number[] }[]>>;

function readBoxes(path: string): Boxes {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new CliError(`--boxes ${path} cannot be read as JSON: ${(error as Error).message}`);
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new CliError(`--boxes ${path}: it must be an object of lists by file name.`);
  }
  for (const [file, objects] of Object.entries(json)) {
    const good =
      Array.isArray(objects) &&
      objects.every(
        (one: { label?: unknown; box?: unknown }) =>
          typeof one?.label === 'string' &&
          Array.isArray(one.box) &&
          one.box.length === 4 &&
          one.box.every(Number.isFinite) &&
          one.box[2] > 0 &&
          one.box[3] > 0,
      );
    if (good) continue;
    throw new CliError(
      `--boxes ${path}: "${file}" must be a list of { "label": "...", "box": [x, y, width, height] } with ` +
        `sizes above 0, is ${JSON.stringify(objects)?.slice(0, 100)}.`,
    );
  }
  return json as Boxes;
}

/** An image to come: how many classes are asked of it, and the image, read only when its turn comes. */
export interface Planned {
  readonly classes: number;
  readonly take: () => Subject;
}

/** What is evaluated, as the command line gives it. */
export interface SubjectOptions {
  /** Folder of PNG and JPEG files; scenes are drawn without. */
  readonly images?: string;
  /** JSON file of the images' boxes. */
  readonly boxes?: string;
  readonly limit?: string;
  /** Of the first scene. */
  readonly seed: string;
}

/** @throws CliError for a folder without images, boxes of none, or scenes used in training */
export function subjectsOf(options: SubjectOptions): Planned[] {
  const limit = options.limit === undefined ? undefined : parseWhole('--limit', options.limit, 1);
  if (options.images === undefined) {
    if (options.boxes !== undefined) throw usageError('--boxes is of no use without --images.');
    const first = parseWhole('--seed', options.seed, 0);
    if (first < TRAINING_SEEDS_END) {
      throw usageError(
        `--seed ${first}: seeds below ${TRAINING_SEEDS_END} were used in training; begin there or later.`,
      );
    }
    return Array.from({ length: limit ?? DEFAULT_SCENES }, (_, i) => ({
      classes: 2,
      take: () => ({ kind: 'scene', seed: first + i }),
    }));
  }
  const { images } = options;
  if (!existsSync(images)) throw usageError(`--images ${images}: there is no such folder.`);
  const boxes = options.boxes === undefined ? {} : readBoxes(options.boxes);
  const names = readdirSync(images)
    .filter((name) => ['.png', '.jpg', '.jpeg'].includes(extname(name).toLowerCase()))
    .sort();
  if (names.length === 0) throw usageError(`--images ${images}: there is no PNG or JPEG in it.`);
  const unknown = Object.keys(boxes).find((name) => !names.includes(name));
  if (unknown !== undefined) {
    throw usageError(`--boxes ${options.boxes}: there is no image "${unknown}" in ${images}.`);
  }
  return names.slice(0, limit).map((name) => {
    const objects = (boxes[name] ?? []).map(({ label, box: [x, y, width, height] }) => ({
      label,
      box: { x, y, width, height } as { x: number; y: number; width: number; height: number },
    }));
    return {
      classes: Math.max(1, new Set(objects.map(({ label }) => label)).size),
      take: () => fileSubject(join(images, name), objects),
    };
  });
}

/** A single subject: an image of the disk, or (`true`) the scene of a seed. */
export function subjectOf(image: string | true, seed: string): Subject {
  if (image === true) return { kind: 'scene', seed: parseWhole('--seed', seed, 0) };
  return fileSubject(image, []);
}

function fileSubject(path: string, objects: FileSubject['objects']): FileSubject {
  return {
    kind: 'file',
    name: basename(path),
    base64: readImage(path).toString('base64'),
    objects,
  };
}
