import { ScoreCamError } from '../../errors';
import type { ByteSource } from '../bytes/byte-source';

/** A file of a zip archive. */
export interface ZipEntry {
  readonly name: string;
  /** Bytes of the stored file. */
  readonly size: number;
  /** 0: stored as it is, 8: deflated, ... */
  readonly method: number;
  readonly encrypted: boolean;
  /** Byte offset of the local header, which the file's bytes follow. */
  readonly header: number;
}

const END = 0x06054b50;
const END64 = 0x06064b50;
const END64_LOCATOR = 0x07064b50;
const CENTRAL = 0x02014b50;
const LOCAL = 0x04034b50;
const LOCAL_BYTES = 30;

/** The end record and the longest comment that may follow it. */
const LONGEST_END = 22 + 65535;
/** Holds the directory of a state dict of a hundred tensors, so that one read does. */
const TAIL = 16 * 1024;
const LARGEST_DIRECTORY = 16 * 1024 * 1024;
/** "See the zip64 record instead." */
const LARGE = 0xffffffff;

/**
 * The entries of a zip archive, in the order of its central directory. Local headers are not read here
 * (each would be a request over the network): see {@link openEntry}.
 * @throws ScoreCamError `weights` naming file, byte and expectation.
 */
export async function readZipDirectory(file: ByteSource): Promise<readonly ZipEntry[]> {
  const fail = (message: string): never => {
    throw new ScoreCamError('weights', `${file.name}: ${message}`);
  };
  let tail = await readTail(file, TAIL);
  if (findEnd(tail.view) === undefined) tail = await readTail(file, LONGEST_END);
  const found = findEnd(tail.view);
  if (found === undefined) {
    return fail(
      `a zip archive starts here, but its directory is not at the end (byte ${file.size}): ` +
        'the file is cut off. Download it again.',
    );
  }
  const { view } = tail;
  let count = view.getUint16(found + 10, true);
  let bytes = view.getUint32(found + 12, true);
  let start = view.getUint32(found + 16, true);
  let limit = tail.start + found;
  const locator = found - 20;
  if (locator >= 0 && view.getUint32(locator, true) === END64_LOCATOR) {
    const at = Number(view.getBigUint64(locator + 8, true));
    limit = tail.start + locator;
    if (at > limit - 56)
      fail(`its zip64 record should be at byte ${at}, behind where it must end.`);
    const record = viewOf(await readPart(file, tail, at, 56));
    if (record.getUint32(0, true) !== END64) fail(`there is no zip64 record at byte ${at}.`);
    count = Number(record.getBigUint64(32, true));
    bytes = Number(record.getBigUint64(40, true));
    start = Number(record.getBigUint64(48, true));
    limit = at;
  }
  if (start + bytes > limit || bytes > LARGEST_DIRECTORY) {
    fail(
      `its zip directory claims ${bytes} bytes from byte ${start}; they must end by byte ${limit} ` +
        `and be at most ${LARGEST_DIRECTORY}: the file is damaged.`,
    );
  }
  const directory = await readPart(file, tail, start, bytes);
  const entries = parseDirectory(directory, start, fail);
  if (entries.length !== count) {
    fail(`its zip directory has ${entries.length} entries, not the ${count} it claims.`);
  }
  return entries;
}

/** @throws ScoreCamError `weights` unless the entry's bytes are in the archive as they are. */
export function checkStored(file: ByteSource, { name, method, encrypted }: ZipEntry): void {
  if (encrypted) {
    throw new ScoreCamError(
      'weights',
      `${file.name}: zip entry "${name}" is encrypted. Save the weights without a password.`,
    );
  }
  if (method !== 0) {
    throw new ScoreCamError(
      'weights',
      `${file.name}: zip entry "${name}" is compressed (method ${method}); PyTorch stores its entries as ` +
        'they are. Save again with torch.save, or repack with "zip -0".',
    );
  }
}

/**
 * Where an entry's bytes start. The local header repeats the name and has padding of its own, so that
 * only it says where the bytes are.
 * @throws ScoreCamError `weights` if there is no local header or the bytes would end behind the file.
 */
export async function openEntry(file: ByteSource, entry: ZipEntry): Promise<number> {
  const fail = (message: string): never => {
    throw new ScoreCamError('weights', `${file.name}: zip entry "${entry.name}" ${message}`);
  };
  checkStored(file, entry);
  const view = viewOf(await file.read(entry.header, LOCAL_BYTES));
  if (view.getUint32(0, true) !== LOCAL) {
    fail(`should start at byte ${entry.header}, where there is no zip header: damaged.`);
  }
  const data = entry.header + LOCAL_BYTES + view.getUint16(26, true) + view.getUint16(28, true);
  if (data + entry.size > file.size) {
    fail(`has ${entry.size} bytes from byte ${data} on; the file ends at ${file.size}.`);
  }
  return data;
}

interface Tail {
  readonly start: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly view: DataView;
}

async function readTail(file: ByteSource, most: number): Promise<Tail> {
  const length = Math.min(most, file.size);
  const bytes = await file.read(file.size - length, length);
  return { start: file.size - length, bytes, view: viewOf(bytes) };
}

/** Index of the end record: its comment must reach exactly to the end. */
function findEnd(view: DataView): number | undefined {
  for (let at = view.byteLength - 22; at >= 0; at--) {
    if (
      view.getUint32(at, true) === END &&
      at + 22 + view.getUint16(at + 20, true) === view.byteLength
    ) {
      return at;
    }
  }
  return undefined;
}

/** A part of the file, from the tail where it is in there. */
async function readPart(
  file: ByteSource,
  tail: Tail,
  start: number,
  length: number,
): Promise<Uint8Array<ArrayBuffer>> {
  return start >= tail.start
    ? tail.bytes.slice(start - tail.start, start - tail.start + length)
    : file.read(start, length);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function parseDirectory(
  bytes: Uint8Array,
  start: number,
  fail: (message: string) => never,
): ZipEntry[] {
  const view = viewOf(bytes);
  const entries: ZipEntry[] = [];
  const names = new Set<string>();
  for (let at = 0; at < bytes.length; ) {
    const damaged = (): never =>
      fail(`its zip directory is damaged at byte ${start + at}. Download the file again.`);
    if (at + 46 > bytes.length || view.getUint32(at, true) !== CENTRAL) return damaged();
    const nameBytes = view.getUint16(at + 28, true);
    const extraBytes = view.getUint16(at + 30, true);
    const next = at + 46 + nameBytes + extraBytes + view.getUint16(at + 32, true);
    if (next > bytes.length) return damaged();
    const name = new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + nameBytes));
    if (names.has(name)) fail(`it has two zip entries called "${name}".`);
    names.add(name);
    let packed = view.getUint32(at + 20, true);
    let size = view.getUint32(at + 24, true);
    let header = view.getUint32(at + 42, true);
    // Of the zip64 extra field only those members exist that do not fit 32 bits, in this order.
    let extra = zip64Extra(view, at + 46 + nameBytes, extraBytes);
    const long = (value: number): number => {
      if (value !== LARGE) return value;
      if (!extra || extra.at + 8 > extra.end) return damaged();
      const found = Number(view.getBigUint64(extra.at, true));
      extra = { at: extra.at + 8, end: extra.end };
      return found;
    };
    size = long(size);
    packed = long(packed);
    header = long(header);
    const method = view.getUint16(at + 10, true);
    if (header + LOCAL_BYTES + size > start || (method === 0 && packed !== size)) {
      fail(
        `zip entry "${name}" has ${size} bytes (${packed} stored) from byte ${header} on, ` +
          `which must end before the directory at byte ${start}.`,
      );
    }
    entries.push({
      name,
      size,
      method,
      encrypted: (view.getUint16(at + 8, true) & 1) !== 0,
      header,
    });
    at = next;
  }
  return entries;
}

function zip64Extra(
  view: DataView,
  start: number,
  length: number,
): { at: number; end: number } | undefined {
  for (let at = start; at + 4 <= start + length; ) {
    const end = at + 4 + view.getUint16(at + 2, true);
    if (end > start + length) return undefined;
    if (view.getUint16(at, true) === 1) return { at: at + 4, end };
    at = end;
  }
  return undefined;
}
