import { ScoreCamError } from '../../errors';
import { addressHint } from './address-hint';
import { BodyReader } from './body-reader';
import { type ByteSource, checkRange } from './byte-source';
import {
  announcedBytes,
  answeredRange,
  checkAnswer,
  type FileFacts,
  Interruption,
  isEncoded,
} from './http-answer';

export interface Retry {
  readonly url: string;
  /** Byte of the file at which it goes on. */
  readonly offset: number;
  /** 1 for the first in a row without a byte in between. */
  readonly attempt: number;
  readonly attempts: number;
  /** Milliseconds until then. */
  readonly delay: number;
  /** What went wrong. */
  readonly reason: string;
}

export interface HttpOptions {
  /** Ends everything: what is being read is thrown its reason, and the connection is closed. */
  readonly signal?: AbortSignal | undefined;
  /** Instead of the global one. */
  readonly fetch?: typeof fetch | undefined;
  /**
   * Milliseconds to wait before each try to go on after an interruption, for as many tries; a byte that
   * comes starts the list over.
   */
  readonly retryDelays?: readonly number[] | undefined;
  /** Hears of every piece received; bytes that had to be fetched twice are counted twice. */
  readonly onBytes?: ((bytes: number) => void) | undefined;
  readonly onRetry?: ((retry: Retry) => void) | undefined;
  /** Bytes up to which a file that cannot be read in parts is kept in memory: 64 MiB, a file of small networks. */
  readonly largestBuffer?: number | undefined;
}

export interface HttpSource extends ByteSource {
  /** ETag, else Last-Modified, as far as the site lets other pages see them. */
  readonly revision: string | undefined;
  /** Closes the connection. What is being read, or read later, is thrown `disposed`. */
  close(): Promise<void>;
}

const RETRY_DELAYS: readonly number[] = [500, 1000, 2000, 4000, 8000];

const MIB = 1024 * 1024;

/** A gap up to this is read over; a request, with its round trips, would take longer. */
const LARGEST_SKIP = 4 * MIB;

const LARGEST_BUFFER = 64 * MIB;

/** Where a site may hide that it compresses, files up to this are read whole to learn their length. */
const LARGEST_DOUBT = MIB;

/** How often a large file is read again from its start where the server ignores ranges. */
const MOST_REREADS = 4;

/** What a server that says "wait an hour" gets: seconds. */
const LONGEST_RETRY_AFTER = 30;

/**
 * Opens a file on the web. One plain GET brings all of it for as long as reads go forwards, and only the
 * bytes asked for are in memory; nothing is read ahead. Reads that go back, or far ahead, cost a request
 * of their own (`Range: bytes=N-`, which needs no permission of the other site). Where a server ignores
 * ranges, files up to 64 MiB are kept in memory instead, and larger ones read again from the start, which
 * is slow, at most four times.
 *
 * A body that breaks off is gone on with at its exact offset, if it is still the same file. Files that come
 * compressed or without a length are read into memory at once, up to 64 MiB. Call `close` unless the file
 * was read to its end.
 * @throws ScoreCamError `weights` naming URL, offset, what was expected there and the remedy; the signal's
 * reason.
 */
export async function httpSource(
  url: URL | string,
  options: HttpOptions = {},
): Promise<HttpSource> {
  const file = new HttpFile(absolute(url), options);
  try {
    await file.open();
  } catch (error) {
    await file.close();
    throw error;
  }
  return file;
}

/** A response that is being read. */
interface Connection {
  readonly body: BodyReader;
  /** Offset in the file of the next byte. */
  at: number;
  /** One past the last byte that was announced. */
  readonly end: number;
}

class HttpFile implements HttpSource {
  readonly name: string;
  private readonly options: HttpOptions;
  private readonly delays: readonly number[];
  private readonly largestBuffer: number;
  /** Aborted by the caller's signal and by {@link close}; its reason is what readers are thrown. */
  private readonly life = new AbortController();
  /** Of the request in flight or the body being read; there is at most one. */
  private request: AbortController | undefined;
  private connection: Connection | undefined;
  /** The whole file, where it cannot be had in parts. */
  private memory: Uint8Array | undefined;
  private facts: FileFacts | undefined;
  /** One request at least has reached the server and was answered. */
  private answered = false;
  private serverHasRanges = true;
  private rereads = 0;
  /** Settles when the latest read has. */
  private latest: Promise<unknown> = Promise.resolve();

  constructor(url: string, options: HttpOptions) {
    this.name = url;
    this.options = options;
    this.delays = options.retryDelays ?? RETRY_DELAYS;
    this.largestBuffer = options.largestBuffer ?? LARGEST_BUFFER;
    this.life.signal.addEventListener('abort', () => this.disconnect());
    if (options.signal?.aborted) this.end();
    options.signal?.addEventListener('abort', this.end);
  }

  get size(): number {
    return this.facts?.size ?? 0;
  }

  get revision(): string | undefined {
    return this.facts?.etag ?? this.facts?.lastModified;
  }

  async close(): Promise<void> {
    this.life.abort(
      new ScoreCamError('disposed', `${this.name} was closed; open it again to read on.`),
    );
    this.options.signal?.removeEventListener('abort', this.end);
    this.memory = undefined;
    await this.latest;
  }

  private readonly end = (): void => this.life.abort(this.options.signal?.reason);

  /** The first request: what the file is, and either its body or, read whole, its bytes. */
  async open(): Promise<void> {
    await this.persist(0, async () => {
      const response = await this.ask(0);
      await checkAnswer(this.name, 0, response);
      const size = announcedBytes(response);
      const facts = {
        url: this.name,
        etag: response.headers.get('etag') ?? undefined,
        lastModified: response.headers.get('last-modified') ?? undefined,
      };
      // Sites may hide Content-Encoding from other pages, and Content-Length then counts other bytes.
      const inDoubt = response.type === 'cors' && (size ?? 0) <= LARGEST_DOUBT;
      if (size === undefined || inDoubt) {
        this.memory = await this.readWhole(response);
        this.facts = { ...facts, size: this.memory.length };
        return;
      }
      this.facts = { ...facts, size };
      this.serverHasRanges = response.headers.get('accept-ranges') !== 'none';
      this.connection = { body: new BodyReader(response.body), at: 0, end: size };
    });
  }

  /** Reads run one after the other, in the order in which they were asked for. */
  read(start: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    const result = this.latest.then(() => this.readNow(start, length));
    this.latest = result.catch(() => {});
    return result;
  }

  private async readNow(start: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    this.life.signal.throwIfAborted();
    checkRange(this.name, this.size, start, length);
    if (this.memory) return this.memory.slice(start, start + length);
    const result = new Uint8Array(length);
    let filled = 0;
    const take = (bytes: Uint8Array): void => {
      result.set(bytes, filled);
      filled += bytes.length;
    };
    while (filled < length) {
      await this.persist(start + filled, async () => {
        await this.moveTo(start + filled);
        if (this.memory) take(this.memory.subarray(start + filled, start + length));
        else await this.receive(length - filled, take);
      });
    }
    return result;
  }

  /** Makes `offset` the next byte to be received, or has the whole file in memory afterwards. */
  private async moveTo(offset: number): Promise<void> {
    while (!this.memory && this.connection?.at !== offset) {
      const gap = offset - (this.connection?.at ?? Number.POSITIVE_INFINITY);
      if (gap < 0 || (gap > LARGEST_SKIP && this.serverHasRanges)) await this.connect(offset);
      else await this.receive(gap, () => {});
    }
  }

  /** Asks for the file from `offset`; gets it from there, or from its start, or all of it. */
  private async connect(offset: number): Promise<void> {
    this.disconnect();
    const from = this.serverHasRanges ? offset : 0;
    const response = await this.ask(from);
    const { start, end } = await answeredRange(this.facts as FileFacts, from, response);
    this.serverHasRanges &&= start === offset;
    if (!this.serverHasRanges && this.size <= this.largestBuffer) {
      this.memory = await this.readWhole(response, this.size);
      return;
    }
    if (!this.serverHasRanges && ++this.rereads > MOST_REREADS) {
      throw new ScoreCamError(
        'weights',
        `${this.name}: byte ${offset} was expected next, but the server ignores ranges and begins at 0; ` +
          `the file has been read again from its start ${MOST_REREADS} times already. Have a server host ` +
          'it that knows Range requests, or give the file from a disk.',
      );
    }
    this.connection = { body: new BodyReader(response.body), at: start, end };
  }

  /**
   * Receives from 1 to `most` bytes.
   * @throws Interruption if the body breaks off
   */
  private async receive(most: number, take: (bytes: Uint8Array) => void): Promise<void> {
    const connection = this.connection as Connection;
    const { body, at, end } = connection;
    const bytes = await this.pull(body, Math.min(most, end - at), at);
    if (!bytes) throw new Interruption(`${this.name} ended at byte ${at} of ${this.size}`);
    connection.at += bytes.length;
    take(bytes);
    if (connection.at < end) return;
    await this.expectEnd(body);
    this.connection = undefined;
    this.request = undefined;
  }

  /** A body of any length up to the limit; of `expected` bytes if that is given. */
  private async readWhole(response: Response, expected?: number): Promise<Uint8Array> {
    const body = new BodyReader(response.body);
    const pieces: Uint8Array[] = [];
    let size = 0;
    for (;;) {
      const piece = await this.pull(body, this.largestBuffer, size);
      if (!piece) break;
      pieces.push(piece.slice());
      size += piece.length;
      if (expected !== undefined && size > expected) this.failTooLong(expected);
      if (size > this.largestBuffer) {
        throw new ScoreCamError(
          'weights',
          `${this.name} ${unmeasured(response)}. Such a file is read into memory whole, but not beyond ` +
            `${this.largestBuffer} bytes: have the server send weights as they are, with their Content-Length.`,
        );
      }
    }
    if (expected !== undefined && size < expected) {
      throw new Interruption(`${this.name} ended at byte ${size} of ${expected}`);
    }
    this.request = undefined;
    const whole = new Uint8Array(size);
    let at = 0;
    for (const piece of pieces) {
      whole.set(piece, at);
      at += piece.length;
    }
    return whole;
  }

  /** After the last byte announced; what breaks now breaks nothing. */
  private async expectEnd(body: BodyReader): Promise<void> {
    let more: Uint8Array | undefined;
    try {
      more = await body.next(1);
    } catch {
      this.life.signal.throwIfAborted();
    }
    if (more) this.failTooLong(this.size);
  }

  private failTooLong(announced: number): never {
    throw new ScoreCamError(
      'weights',
      `${this.name}: ${announced} bytes were announced, and more were found from byte ${announced} on. If ` +
        'the server compresses, have it send weights as they are, or let other sites see its ' +
        'Content-Encoding (Access-Control-Expose-Headers).',
    );
  }

  /** The body's next bytes, from 1 to `most`; undefined at its end. */
  private async pull(body: BodyReader, most: number, at: number): Promise<Uint8Array | undefined> {
    let bytes: Uint8Array | undefined;
    try {
      bytes = await body.next(most);
    } catch (cause) {
      this.life.signal.throwIfAborted();
      throw new Interruption(`${this.name} broke off at byte ${at} (${messageOf(cause)})`, {
        cause,
      });
    }
    this.life.signal.throwIfAborted();
    if (bytes) this.options.onBytes?.(bytes.length);
    return bytes;
  }

  private async ask(offset: number): Promise<Response> {
    this.life.signal.throwIfAborted();
    const { fetch = globalThis.fetch } = this.options;
    const abort = new AbortController();
    this.request = abort;
    try {
      // Whole files may come from the browser's cache once the server says that they are still the same.
      // Ranges may not: Chrome's cache rewrites them, at times into a request for all of the file.
      const init: RequestInit =
        offset > 0
          ? { headers: { range: `bytes=${offset}-` }, cache: 'no-store' }
          : { cache: 'no-cache' };
      const response = await fetch(this.name, { ...init, signal: abort.signal });
      this.answered = true;
      return response;
    } catch (cause) {
      this.life.signal.throwIfAborted();
      const failed = `${this.name} cannot be reached for byte ${offset} (${messageOf(cause)})`;
      if (this.answered) throw new Interruption(failed, { cause });
      throw new ScoreCamError(
        'weights',
        `${failed}. Check the address and the connection; or the site does not let other pages read it ` +
          `(CORS): then download the file and give it from the disk.${addressHint(this.name)}`,
        { cause },
      );
    }
  }

  /** Does the work until it is done without an {@link Interruption}, or there were too many in a row. */
  private async persist(offset: number, work: () => Promise<void>): Promise<void> {
    for (let failures = 0; ; failures++) {
      try {
        await work();
        return;
      } catch (error) {
        this.disconnect();
        if (!(error instanceof Interruption)) throw error;
        const { message: reason, retryAfter = 0 } = error;
        const attempts = this.delays.length;
        const listed = this.delays[failures];
        if (listed === undefined) {
          throw new ScoreCamError(
            'weights',
            `${reason}. Nothing came from byte ${offset} on in ${attempts} further tries: check the ` +
              'connection and load it again.',
            { cause: error },
          );
        }
        const delay = Math.max(listed, 1000 * Math.min(retryAfter, LONGEST_RETRY_AFTER));
        const attempt = failures + 1;
        this.options.onRetry?.({ url: this.name, offset, attempt, attempts, delay, reason });
        await pause(delay, this.life.signal);
      }
    }
  }

  private disconnect(): void {
    this.request?.abort(this.life.signal.reason);
    this.request = undefined;
    this.connection = undefined;
  }
}

/** Why a file's length is not known before it is read. */
function unmeasured({ headers }: Response): string {
  if (isEncoded(headers))
    return `is compressed (Content-Encoding ${headers.get('content-encoding')})`;
  if (headers.get('content-length') === null) return 'comes without Content-Length';
  return `is longer than its Content-Length, ${headers.get('content-length')}`;
}

/** Waits; @throws the signal's reason as soon as it is aborted. */
async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop);
      resolve();
    }, milliseconds);
    signal.addEventListener('abort', stop, { once: true });
  });
}

/** Node says "fetch failed" or "terminated", and the reason in the error's cause. */
function messageOf(error: unknown): string {
  const { message, cause } = error as {
    message?: unknown;
    cause?: { message?: unknown } | undefined;
  };
  return String(cause?.message || message || error);
}

/** @throws ScoreCamError `weights` if there is no such URL */
function absolute(url: URL | string): string {
  // Workers have no document, Node has neither.
  const base = globalThis.document?.baseURI ?? globalThis.location?.href;
  try {
    return new URL(url, base).href;
  } catch (cause) {
    const expected =
      base === undefined ? 'a whole one with https://' : `one, or a path from ${base},`;
    throw new ScoreCamError('weights', `"${url}" is not a URL; ${expected} was expected.`, {
      cause,
    });
  }
}
