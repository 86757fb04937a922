/** What an evaluation has found, a JSON line each, so that an interrupted one goes on where it was. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { appendLine, dropCutLine, readLines } from '../json-lines';
import { keepSettings, type Settings } from '../kept-settings';
import { writeWhole } from '../output';
import { pngOf } from '../png';
import type { PicturedRow, Row, Run, SanityPoint } from './types';

/** Maps, a line for all of one image by one method; randomised models, a line an image; and what it was computed by. */
const FILES = { maps: 'maps.jsonl', sanity: 'sanity.jsonl', runs: 'runs.jsonl' } as const;

/** Findings of an evaluation or of its shards, as they are read. */
export interface Found {
  /** In the order in which they came. */
  readonly rows: readonly Row[];
  /** By image. */
  readonly sanity: ReadonlyMap<string, readonly SanityPoint[]>;
  /** Each once. */
  readonly runs: readonly Run[];
  /** The picture of a map in base64, if it was kept. */
  picture(row: Pick<Row, 'image' | 'label' | 'method'>): string | undefined;
}

/** A folder of findings, which is not changed. */
export class Kept implements Found {
  readonly folder: string;
  readonly rows: Row[] = [];
  readonly sanity = new Map<string, readonly SanityPoint[]>();
  readonly runs: Run[] = [];
  private readonly done = new Set<string>();

  constructor(folder: string) {
    this.folder = folder;
    for (const line of this.lines('maps')) this.take(line as Row[]);
    for (const line of this.lines('sanity')) {
      const { image, points } = line as { image: string; points: SanityPoint[] };
      this.sanity.set(image, points);
    }
    for (const line of this.lines('runs')) this.runs.push(line as Run);
  }

  /** Whether this image is done by this method, all its classes. */
  has(image: string, method: string): boolean {
    return this.done.has(`${image}\n${method}`);
  }

  picture(row: Pick<Row, 'image' | 'label' | 'method'>): string | undefined {
    const path = this.pathOf(row);
    return existsSync(path) ? readFileSync(path).toString('base64') : undefined;
  }

  protected pathTo(kind: keyof typeof FILES): string {
    return join(this.folder, FILES[kind]);
  }

  protected pathOf({ image, label, method }: Pick<Row, 'image' | 'label' | 'method'>): string {
    const name = `${image} ${label} ${method}`.replaceAll(/[^\w+.-]+/g, '-').slice(0, 150);
    // Labels may differ in what no name of a file holds.
    const whole = createHash('sha256')
      .update(JSON.stringify([image, label, method]))
      .digest('hex');
    return join(this.folder, 'maps', `${name}-${whole.slice(0, 12)}.png`);
  }

  protected take(rows: readonly Row[]): void {
    // A cluster may have started a shard twice: both found the same.
    if (rows[0] && this.has(rows[0].image, rows[0].method)) return;
    this.rows.push(...rows);
    for (const { image, method } of rows) this.done.add(`${image}\n${method}`);
  }

  private lines(kind: keyof typeof FILES): Iterable<unknown> {
    return readLines(this.pathTo(kind));
  }
}

/** A folder of findings that grows. */
export class Store extends Kept {
  /** @throws CliError if the folder holds an evaluation with other settings */
  static open(folder: string, settings: Settings, restart: boolean): Store {
    keepSettings(folder, settings, restart, Object.values(FILES));
    mkdirSync(join(folder, 'maps'), { recursive: true });
    for (const file of Object.values(FILES)) dropCutLine(join(folder, file));
    return new Store(folder);
  }

  /** Keeps all maps of one image by one method, at once. */
  add(rows: readonly PicturedRow[]): void {
    const plain = rows.map(({ picture, ...row }) => {
      if (picture) writeWhole(this.pathOf(row), pngOf(picture));
      return row;
    });
    appendLine(this.pathTo('maps'), plain);
    this.take(plain);
  }

  /** Keeps what came of randomised models for one image. */
  addSanity(image: string, points: readonly SanityPoint[]): void {
    appendLine(this.pathTo('sanity'), { image, points });
    this.sanity.set(image, points);
  }

  /** Notes what computes from now on. */
  addRun(run: Run): void {
    if (this.runs.some((one) => JSON.stringify(one) === JSON.stringify(run))) return;
    appendLine(this.pathTo('runs'), run);
    this.runs.push(run);
  }
}
