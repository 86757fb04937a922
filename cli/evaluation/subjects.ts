/** What an evaluation is run on: drawn scenes, or images of a folder with or without boxes. */
import { basename, dirname, join } from 'node:path';
import { TRAINING_SEEDS_END } from '../../weights/scenes';
import { matched } from '../annotations/match';
import { readAnnotations } from '../annotations/read';
import { usageError } from '../errors';
import { imageFiles } from '../image-files';
import { parseWhole } from '../option-types';
import { readImage } from '../options';
import { sceneName } from './scene-name';
import type { Subject } from './types';

/** Drawn unless a number is given. */
export const DEFAULT_SCENES = 200;

type FileSubject = Extract<Subject, { kind: 'file' }>;

/** An image to come: how many classes are asked of it, and the image, read only when its turn comes. */
export interface Planned {
  readonly name: string;
  readonly classes: number;
  /** What is known of its objects beforehand. */
  readonly objects: FileSubject['objects'];
  readonly take: () => Subject;
}

/** What is evaluated, as the command line gives it. */
export interface SubjectOptions {
  /** Folder of PNG and JPEG files; scenes are drawn without. */
  readonly images?: string;
  /** The images' boxes: a file, or a folder of such. */
  readonly boxes?: string;
  readonly limit?: string;
  /** Of the first scene. */
  readonly seed: string;
}

/**
 * The whole list, and what is to be said about the boxes.
 * @throws CliError for a folder without images, boxes of none, or scenes used in training
 */
export function subjectsOf(
  options: SubjectOptions,
  labels: readonly string[],
): { readonly subjects: Planned[]; readonly notes: readonly string[] } {
  const limit = options.limit === undefined ? undefined : parseWhole('--limit', options.limit, 1);
  const { images, boxes } = options;
  if (images === undefined) {
    if (boxes !== undefined) throw usageError('--boxes is of no use without --images.');
    return { subjects: scenes(options.seed, limit ?? DEFAULT_SCENES), notes: [] };
  }
  const names = imageFiles('--images', images);
  const { objects, notes } =
    boxes === undefined
      ? { objects: new Map<string, FileSubject['objects']>(), notes: [] }
      : matched(boxes, readAnnotations(boxes), images, names, labels);
  const subjects = names.slice(0, limit).map((name) => {
    const own = objects.get(name) ?? [];
    return {
      name,
      classes: Math.max(1, new Set(own.map(({ label }) => label)).size),
      objects: own,
      take: () => fileSubject(images, name, own),
    };
  });
  return { subjects, notes: notes.map((note) => `--boxes ${boxes}: ${note}.`) };
}

/** @throws CliError for a scene used in training */
export function parseUnseenSeed(seed: string): number {
  const first = parseWhole('--seed', seed, 0);
  if (first >= TRAINING_SEEDS_END) return first;
  throw usageError(
    `--seed ${first}: seeds below ${TRAINING_SEEDS_END} were used in training; begin there or later.`,
  );
}

function scenes(seed: string, count: number): Planned[] {
  const first = parseUnseenSeed(seed);
  return Array.from({ length: count }, (_, i) => ({
    name: sceneName(first + i),
    classes: 2,
    objects: [],
    take: () => ({ kind: 'scene', seed: first + i }),
  }));
}

/** A single subject: an image of the disk, or (`true`) the scene of a seed. */
export function subjectOf(image: string | true, seed: string): Subject {
  if (image === true) return { kind: 'scene', seed: parseWhole('--seed', seed, 0) };
  return fileSubject(dirname(image), basename(image), []);
}

function fileSubject(folder: string, name: string, objects: FileSubject['objects']): FileSubject {
  return { kind: 'file', name, base64: readImage(join(folder, name)).toString('base64'), objects };
}
