/** A file of JSON lines that grows while work is done: what was cut off in the middle of a line was never done. */
import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { CliError } from './errors';

/** Files of many images are longer than a string may be, so they are read by pieces of this size. */
const PIECE = 2 ** 20;
const LINE_END = 10;

/** What the lines hold; a line counts with its end, and what follows the last end does not. None where there is no file. */
export function* readLines(path: string): Generator<unknown> {
  let number = 0;
  for (const { text } of wholeLines(path)) {
    number++;
    try {
      yield JSON.parse(text);
    } catch (error) {
      throw new CliError(
        `${path}: line ${number} is no JSON (${(error as Error).message}): take the line out of the file, and what it ` +
          'held is done again.',
      );
    }
  }
}

/** Takes away what was cut off, or it would spoil the next line. */
export function dropCutLine(path: string): void {
  if (!existsSync(path)) return;
  let whole = 0;
  for (const { end } of wholeLines(path)) whole = end;
  truncateSync(path, whole);
}

/** Adds a line, and waits until the disk has it. */
export function appendLine(path: string, value: unknown): void {
  const file = openSync(path, 'a');
  try {
    const bytes = Buffer.from(`${JSON.stringify(value)}\n`);
    for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Each with the offset behind it, in bytes. */
function* wholeLines(path: string): Generator<{ readonly text: string; readonly end: number }> {
  if (!existsSync(path)) return;
  const file = openSync(path, 'r');
  try {
    const piece = Buffer.alloc(PIECE);
    let parts: Buffer[] = [];
    let offset = 0;
    for (let size = readSync(file, piece); size > 0; size = readSync(file, piece)) {
      let from = 0;
      for (let to = piece.indexOf(LINE_END); to >= 0 && to < size; ) {
        const text = Buffer.concat([...parts, piece.subarray(from, to)]).toString();
        parts = [];
        from = to + 1;
        yield { text, end: offset + from };
        to = piece.indexOf(LINE_END, from);
      }
      parts.push(Buffer.from(piece.subarray(from, size)));
      offset += size;
    }
  } finally {
    closeSync(file);
  }
}
