/** Finished maps, a JSON line each, so that an interrupted evaluation goes on where it was. */
import { createHash } from 'node:crypto';
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { CliError } from '../errors';
import { writeWhole } from '../output';
import type { PicturedRow, Row } from './types';

/** What must be the same for figures to belong into one table. */
export type Settings = Readonly<Record<string, unknown>>;

export class Store {
  readonly folder: string;
  readonly rows: Row[] = [];
  private readonly file: string;
  private readonly done = new Set<string>();

  /** @throws CliError if the folder holds an evaluation with other settings */
  constructor(folder: string, settings: Settings, restart: boolean) {
    this.folder = folder;
    this.file = join(folder, 'maps.jsonl');
    const known = join(folder, 'settings.json');
    if (restart) {
      rmSync(this.file, { force: true });
      rmSync(known, { force: true });
    }
    mkdirSync(join(folder, 'maps'), { recursive: true });
    const wanted = JSON.parse(JSON.stringify(settings)) as Settings;
    if (existsSync(known)) {
      const before = JSON.parse(readFileSync(known, 'utf8')) as Settings;
      const names = new Set([...Object.keys(before), ...Object.keys(wanted)]);
      for (const name of names) {
        const [a, b] = [JSON.stringify(before[name]), JSON.stringify(wanted[name])];
        if (a === b) continue;
        throw new CliError(
          `${folder} holds an evaluation with another setting: ${name} was ${a}, is ${b}. ` +
            'Choose another --out, or begin anew with --restart.',
        );
      }
    }
    writeWhole(known, `${JSON.stringify(wanted, undefined, 2)}\n`);
    this.read();
  }

  /** Whether this image is done by this method, all its classes. */
  has(image: string, method: string): boolean {
    return this.done.has(`${image}\n${method}`);
  }

  /** Keeps all maps of one image by one method, at once. */
  add(rows: readonly PicturedRow[]): void {
    const plain = rows.map(({ picture, ...row }) => {
      if (picture) writeWhole(this.pathOf(row), Buffer.from(picture, 'base64'));
      return row;
    });
    appendFileSync(this.file, `${JSON.stringify(plain)}\n`);
    this.take(plain);
  }

  /** The picture of a map in base64, if it was kept. */
  picture(row: Pick<Row, 'image' | 'label' | 'method'>): string | undefined {
    const path = this.pathOf(row);
    return existsSync(path) ? readFileSync(path).toString('base64') : undefined;
  }

  private pathOf({ image, label, method }: Pick<Row, 'image' | 'label' | 'method'>): string {
    const name = `${image} ${label} ${method}`.replaceAll(/[^\w+.-]+/g, '-').slice(0, 150);
    // Labels may differ in what no name of a file holds.
    const whole = createHash('sha256')
      .update(JSON.stringify([image, label, method]))
      .digest('hex');
    return join(this.folder, 'maps', `${name}-${whole.slice(0, 12)}.png`);
  }

  private read(): void {
    if (!existsSync(this.file)) return;
    const lines = readFileSync(this.file, 'utf8').split('\n');
    // A line that was cut off was never done. It is dropped, or it would spoil the next one.
    const whole = lines.slice(0, -1);
    writeWhole(this.file, whole.map((line) => `${line}\n`).join(''));
    for (const line of whole) this.take(JSON.parse(line) as Row[]);
  }

  private take(rows: readonly Row[]): void {
    this.rows.push(...rows);
    for (const { image, method } of rows) this.done.add(`${image}\n${method}`);
  }
}
