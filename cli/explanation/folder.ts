/** Explains every image of a folder: one browser, one line of results.jsonl an image, and an interrupted run goes on. */
import { join } from 'node:path';
import { adapterName } from '../../src/gpu/facts';
import { messageOf } from '../error-text';
import { CliError, Interrupted } from '../errors';
import { appendLine, dropCutLine, readLines } from '../json-lines';
import { readImage } from '../options';
import { writeAll, writeWhole } from '../output';
import type { ExplainRequest, ExplainResult } from '../page-api';
import { printable } from '../words';
import { collect, type ListedClass, type ListedMethod, type Summary } from './summary';
import { Workplace, type WorkplaceOptions } from './workplace';

/** A line of results.jsonl: what result.json has, but for weights and magnitudes; or why there is no such. */
export type Line =
  | {
      readonly image: string;
      readonly runtime: string;
      readonly adapter: string;
      readonly model: string;
      readonly top: Summary['top'];
      readonly methods: readonly (Omit<ListedMethod, 'classes' | 'magnitudes'> & {
        /** Names of files are those of the image's folder. */
        readonly classes: readonly Omit<ListedClass, 'weights'>[];
      })[];
      /** Methods that gave no result. */
      readonly failed: Summary['failed'];
    }
  | { readonly image: string; readonly error: string };

export interface FolderWork {
  readonly folder: string;
  /** From the folder on. */
  readonly images: readonly string[];
  readonly out: string;
  readonly request: ExplainRequest;
  /** Whether lines are printed as they come. */
  readonly json: boolean;
}

export const LINES = 'results.jsonl';

/** Told of this many by name. */
const MOST_TOLD = 5;

/** Explains what is not explained yet. @throws CliError naming the images that failed, after all others are done */
export async function explainFolder(
  work: FolderWork,
  options: WorkplaceOptions,
  meter: (done: number, total: number) => void,
): Promise<void> {
  const { images, out, json } = work;
  const file = join(out, LINES);
  const done = linesKept(file);
  const missing = images.filter((image) => !done.has(image));
  const failures: string[] = [];
  let finished = images.length - missing.length;
  try {
    const begin = (): void => meter(finished, images.length);
    for await (const line of explained(work, missing, options, begin)) {
      appendLine(file, line);
      const failure = failureOf(line);
      if (failure !== undefined) failures.push(`${line.image}: ${failure}`);
      meter(++finished, images.length);
      if (json) console.log(printable(JSON.stringify(line)));
    }
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    const kept = `Stopped: what is finished is kept in ${out}, and the same command goes on there.`;
    throw new Interrupted(error.signal, kept);
  }
  if (failures.length > 0) {
    const more = failures.length - MOST_TOLD;
    throw new CliError(
      `${failures.length} of ${images.length} images failed: ${failures.slice(0, MOST_TOLD).join('; ')}` +
        `${more > 0 ? `; and ${more} more` : ''}. ${file} has the others; the same command tries these again.`,
    );
  }
}

/** The images that need no work. Those that failed are tried again, so their lines go. */
function linesKept(file: string): ReadonlySet<string> {
  dropCutLine(file);
  const lines = [...readLines(file)] as Line[];
  const good = lines.filter((line) => failureOf(line) === undefined);
  if (good.length < lines.length) {
    writeWhole(file, good.map((line) => `${JSON.stringify(line)}\n`).join(''));
  }
  return new Set(good.map(({ image }) => image));
}

function failureOf(line: Line): string | undefined {
  if ('error' in line) return line.error;
  const reasons = line.failed.map(({ method, message }) => `${method}: ${message}`);
  return reasons.length > 0 ? reasons.join('; ') : undefined;
}

/** A line for each image, its files written before. What ends with an image is opened anew for the next one. */
async function* explained(
  work: FolderWork,
  images: readonly string[],
  options: WorkplaceOptions,
  begin: () => void,
): AsyncGenerator<Line> {
  let place: Workplace | undefined;
  let endedBefore = false;
  try {
    for (const image of images) {
      options.signal.throwIfAborted();
      if (!place) {
        place = await Workplace.open(options);
        await place.load();
        begin();
      }
      const result = await resultOf(work, image, place).catch((error: Error) => error);
      options.signal.throwIfAborted();
      yield result instanceof Error
        ? { image, error: messageOf(result) }
        : keep(work, image, place, result);
      const { isOver } = place.session;
      if (isOver) {
        await place.close();
        place = undefined;
        // One image may be too much for it. That two in a row are is more likely no image's fault.
        if (endedBefore) throw result;
      }
      endedBefore = isOver;
    }
  } finally {
    await place?.close();
  }
}

async function resultOf(
  { folder, request }: FolderWork,
  image: string,
  place: Workplace,
): Promise<ExplainResult> {
  const path = join(folder, image);
  await place.take(readImage(path), path);
  return place.explain(request);
}

/** Writes the files of one image. */
function keep(
  { folder, out, request }: FolderWork,
  image: string,
  { session, opened }: Workplace,
  result: ExplainResult,
): Line {
  const { summary, files } = collect(session.version, join(folder, image), opened, result);
  if (request.files.length > 0) writeAll(join(out, image), files);
  return {
    image,
    runtime: summary.runtime,
    adapter: adapterName(opened.adapter),
    model: summary.model,
    top: summary.top,
    methods: summary.methods.map(({ magnitudes, classes, ...facts }) => ({
      ...facts,
      classes: classes.map(({ weights, ...own }) => own),
    })),
    failed: summary.failed,
  };
}
