import { ScoreCamError, shown } from '../../errors';
import type { ByteSource } from '../bytes/byte-source';

/**
 * Bytes of any description in JSON: manifest, index, model.json, header. ImageNet's thousand labels take 40 kB; parsed, JSON
 * takes twenty times its size.
 */
export const LARGEST_JSON = 16 * 1024 * 1024;

export type JsonObject = Readonly<Record<string, unknown>>;

/**
 * A file that is one JSON object.
 * @throws ScoreCamError `weights` if it is not.
 */
export async function readJson(file: ByteSource): Promise<JsonObject> {
  if (file.size > LARGEST_JSON) {
    throw new ScoreCamError(
      'weights',
      `${file.name} looks like JSON but has ${file.size} bytes; at most ${LARGEST_JSON} are read.`,
    );
  }
  return parseJson(file.name, await file.read(0, file.size), 'it');
}

/**
 * Bytes that must be one JSON object in UTF-8. `what` is how the message calls them: "its header".
 * @throws ScoreCamError `weights` if they are not.
 */
export function parseJson(file: string, bytes: Uint8Array, what: string): JsonObject {
  let value: unknown;
  let cause: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    cause = error;
  }
  if (isObject(value)) return value;
  throw new ScoreCamError(
    'weights',
    `${file}: ${what} is not JSON with one object: another kind of file, or damaged.`,
    { cause },
  );
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * A path that an index gives for one of its parts.
 * @throws ScoreCamError `weights` unless it stays beside or below the index: no file may send its reader
 * to another host or folder.
 */
export function checkPartPath(file: string, path: unknown): string {
  if (
    typeof path === 'string' &&
    path.length > 0 &&
    !/^[\\/]|^[a-z][a-z0-9+.-]*:|\\|[?#]/i.test(path) &&
    !path.split('/').includes('..')
  ) {
    return path;
  }
  throw new ScoreCamError(
    'weights',
    `${file} names ${shown(path)} as one of its parts; a part must be a file beside it or in a folder below.`,
  );
}
