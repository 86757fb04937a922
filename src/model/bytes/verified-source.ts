import { ScoreCamError } from '../../errors';
import { type ByteSource, checkRange } from './byte-source';
import { Sha256 } from './sha256';

export interface Expected {
  /** All 64 hexadecimal digits, or the first 8 or more, as in torchvision's `vgg16-397923af.pth`. */
  readonly sha256?: string | undefined;
  readonly bytes?: number | undefined;
}

export interface VerifiedSource extends ByteSource {
  /**
   * Reads what was not hashed yet and compares.
   * @throws ScoreCamError `weights` naming file, found and expected digest.
   */
  verify(): Promise<void>;
}

const MIB = 1024 * 1024;

/** What a gap is read in. */
const PIECE = MIB;

/** The end of a file, where zip archives have their directory. */
const TAIL = MIB;

/**
 * Hashes a file as it is read, so that reading it forwards and checking it are one pass: a read beyond
 * what is hashed hashes the gap before it too, and one before it is passed through. So is a read in the
 * file's last MiB that comes ahead of time: archives have their directory there, and to hash up to it would
 * mean to read the file twice.
 *
 * Bytes handed out before {@link VerifiedSource.verify} may be anyone's: use them, but keep nothing made
 * of them until it has returned.
 * @throws ScoreCamError `weights` if the file has another size; `option` if the digest is none.
 */
export function verifiedSource(source: ByteSource, expected: Expected): VerifiedSource {
  const { name, size } = source;
  const { bytes } = expected;
  const digest = expected.sha256?.toLowerCase();
  if (digest !== undefined && !/^[0-9a-f]{8,64}$/.test(digest)) {
    throw new ScoreCamError(
      'option',
      `${name}: the SHA-256 "${expected.sha256}" must be 64 hexadecimal digits, or the first 8 or more.`,
    );
  }
  if (bytes !== undefined && bytes !== size) {
    throw new ScoreCamError(
      'weights',
      `${name} has ${size} bytes, expected were ${bytes}: it is cut off or another file. Load it again, ` +
        'or correct the expectation.',
    );
  }

  const hash = new Sha256();
  let hashed = 0;
  let latest: Promise<unknown> = Promise.resolve();

  async function hashTo(end: number): Promise<void> {
    while (hashed < end) {
      const piece = await source.read(hashed, Math.min(PIECE, end - hashed));
      hash.update(piece);
      hashed += piece.length;
    }
  }

  async function readNow(start: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    checkRange(name, size, start, length);
    const isEarlyTail = start >= size - TAIL && start - hashed > TAIL;
    if (digest === undefined || isEarlyTail || length === 0) return source.read(start, length);
    await hashTo(start);
    const found = await source.read(start, length);
    if (start + length > hashed) {
      hash.update(found.subarray(hashed - start));
      hashed = start + length;
    }
    return found;
  }

  async function verifyNow(): Promise<void> {
    if (digest === undefined) return;
    await hashTo(size);
    const found = hash.digest();
    if (found.startsWith(digest)) return;
    throw new ScoreCamError(
      'weights',
      `${name} has the SHA-256 ${found}, expected was ${digest}${digest.length < 64 ? '...' : ''}: it is ` +
        'damaged or another file. Load it again, or correct the expectation.',
    );
  }

  /** One after the other: what is hashed follows the order of the file. */
  function queue<T>(work: () => Promise<T>): Promise<T> {
    const result = latest.then(work);
    latest = result.catch(() => {});
    return result;
  }

  return {
    name,
    size,
    read: (start, length) => queue(() => readNow(start, length)),
    verify: () => queue(verifyNow),
  };
}
