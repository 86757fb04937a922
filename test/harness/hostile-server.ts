import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';

/** A file that need not exist: any part of it can be made. */
export interface Generated {
  readonly size: number;
  /** Bytes start ... end. */
  bytes(start: number, end: number): Uint8Array<ArrayBuffer>;
}

/** How a path misbehaves; without any member it is served as a good server would. */
export interface Behaviour {
  readonly type?: string;
  /** By the number of the request to this path, from 0. */
  readonly etag?: string | ((request: number) => string);
  readonly lastModified?: string;
  /** Closes the connection when byte `at` of the file is to be sent, `times` times (always, if absent). */
  readonly cut?: { readonly at: number; readonly times?: number };
  /** Closes every connection after so many bytes. */
  readonly cutEvery?: number;
  /** What plain requests are told for a length; what is sent stays the same. */
  readonly announce?: number;
  /** Offset of a byte whose bits are all turned round. */
  readonly flip?: number;
  /** `told`: with `Accept-Ranges: none`. */
  readonly ignoreRange?: boolean | 'told';
  /** Sends no more than this many bytes of a range, and says so. */
  readonly longestRange?: number;
  /** Status of the request with this number, from 0; undefined serves the file. */
  readonly status?: (request: number) => number | undefined;
  readonly retryAfter?: string;
  /** Where to go instead, as a URL. */
  readonly redirect?: string;
  readonly gzip?: boolean;
  /** Without Content-Length. */
  readonly chunked?: boolean;
  /** Sends nothing from this offset on, and keeps the connection open. -1: does not even answer. */
  readonly stallAt?: number;
  /** Content-Range instead of the true one; undefined leaves it out. */
  readonly contentRange?: (start: number, end: number, size: number) => string | undefined;
  /** `hidden`: other pages may read the file, but not its headers; `none`: nothing at all. */
  readonly cors?: 'hidden' | 'none';
}

/** A request as it came, and what became of its answer. */
export interface Recorded {
  readonly method: string;
  readonly path: string;
  /** Header `Range`. */
  readonly range: string | undefined;
  /** Bytes of the body handed to the connection so far. */
  sent: number;
  /** Whether the answer was sent whole, cut by the server on purpose, or left by the client. */
  readonly ended: Promise<'whole' | 'cut' | 'left'>;
}

const PIECE = 64 * 1024;

const EXPOSED = 'Content-Length, Content-Range, Content-Encoding, ETag, Accept-Ranges, Retry-After';

/**
 * A web server on a free local port that misbehaves as it is told, path by path, and records what it was
 * asked. It lets any page read its files (CORS) but refuses preflights, as static hosts do, so that a
 * request that needs one fails. It sends no faster than the client takes.
 */
export class HostileServer {
  /** In the order in which they came, preflights among them. */
  readonly requests: Recorded[] = [];
  private readonly server: Server;
  private readonly files = new Map<string, { content: Generated; behaviour: Behaviour }>();
  private readonly cuts = new Map<string, number>();

  private constructor(server: Server) {
    this.server = server;
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      void this.answer(request, response);
    });
  }

  static async start(): Promise<HostileServer> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new HostileServer(server);
  }

  /** Without a '/' at its end. */
  get origin(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Serves a file under a path that starts with '/'; returns its URL. */
  serve(path: string, content: Uint8Array | Generated, behaviour: Behaviour = {}): string {
    this.files.set(path, {
      content:
        content instanceof Uint8Array
          ? { size: content.length, bytes: (start, end) => content.slice(start, end) }
          : content,
      behaviour,
    });
    return this.origin + path;
  }

  requestsOf(path: string): Recorded[] {
    return this.requests.filter((request) => request.path === path);
  }

  /** Their `Range` headers, in order. */
  rangesOf(path: string): (string | undefined)[] {
    return this.requestsOf(path).map(({ range }) => range);
  }

  /**
   * Waits until a request's answer stands still, however long that takes: no byte was handed to the
   * connection in so many turns of the event loop, in each of which all sockets were served.
   */
  async standsStill(request: Recorded, turns = 500): Promise<void> {
    for (let still = 0, sent = -1; still < turns; still++) {
      if (request.sent !== sent) still = 0;
      sent = request.sent;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Closes all connections, those that stall too. */
  async close(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? '';
    const number = this.requestsOf(path).length;
    const closed = new Promise<void>((resolve) => response.once('close', () => resolve()));
    let wasCut = false;
    const record: Recorded = {
      method: request.method ?? '',
      path,
      range: request.headers.range,
      sent: 0,
      ended: closed.then(() => (wasCut ? 'cut' : response.writableFinished ? 'whole' : 'left')),
    };
    this.requests.push(record);
    const cut = (): void => {
      wasCut = true;
      response.socket?.destroySoon();
    };

    const file = this.files.get(path);
    if (request.method !== 'GET' || !file) {
      response.writeHead(file ? 405 : 404, { 'access-control-allow-origin': '*' }).end();
      return;
    }
    const { behaviour } = file;
    if (behaviour.cors !== 'none') response.setHeader('access-control-allow-origin', '*');
    if (!behaviour.cors) response.setHeader('access-control-expose-headers', EXPOSED);
    if (behaviour.stallAt === -1) return;
    if (behaviour.redirect !== undefined) {
      response.writeHead(302, { location: behaviour.redirect }).end();
      return;
    }
    const status = behaviour.status?.(number);
    if (status !== undefined) {
      if (behaviour.retryAfter) response.setHeader('retry-after', behaviour.retryAfter);
      response.writeHead(status).end('<html>an error page</html>');
      return;
    }

    const content = behaviour.gzip ? gzipped(file.content) : file.content;
    const { etag, type = 'application/octet-stream', lastModified } = behaviour;
    response.setHeader('content-type', type);
    if (etag) response.setHeader('etag', typeof etag === 'string' ? etag : etag(number));
    if (lastModified) response.setHeader('last-modified', lastModified);
    if (behaviour.gzip) response.setHeader('content-encoding', 'gzip');
    if (!behaviour.ignoreRange) response.setHeader('accept-ranges', 'bytes');
    else if (behaviour.ignoreRange === 'told') response.setHeader('accept-ranges', 'none');

    const asked = behaviour.ignoreRange ? null : /^bytes=(\d+)-$/.exec(request.headers.range ?? '');
    const start = Number(asked?.[1] ?? 0);
    let end = content.size;
    if (asked && start >= end) {
      response.writeHead(416, { 'content-range': `bytes */${end}` }).end();
      return;
    }
    if (asked) {
      end = Math.min(end, start + (behaviour.longestRange ?? end));
      const range = behaviour.contentRange
        ? behaviour.contentRange(start, end, content.size)
        : `bytes ${start}-${end - 1}/${content.size}`;
      if (range !== undefined) response.setHeader('content-range', range);
    }
    const announced = asked ? end - start : (behaviour.announce ?? end);
    if (!behaviour.chunked) response.setHeader('content-length', announced);
    response.writeHead(asked ? 206 : 200);

    const stop = Math.min(
      end,
      this.cutOf(path, behaviour, start, end),
      start + (behaviour.cutEvery ?? end),
      behaviour.stallAt ?? end,
    );
    for (let at = start; at < stop && !response.destroyed; at += PIECE) {
      const piece = content.bytes(at, Math.min(stop, at + PIECE));
      const flipped = (behaviour.flip ?? -1) - at;
      if (flipped >= 0 && flipped < piece.length) piece[flipped] = ~(piece[flipped] as number);
      const isTaken = response.write(piece);
      record.sent += piece.length;
      if (!isTaken) await Promise.race([once(response, 'drain'), closed]);
    }
    if (behaviour.stallAt !== undefined && stop === behaviour.stallAt) response.flushHeaders();
    else if (stop < end || (!behaviour.chunked && stop - start < announced)) cut();
    else response.end();
  }

  /** The offset to cut at; counts the cut. */
  private cutOf(path: string, { cut }: Behaviour, start: number, end: number): number {
    const done = this.cuts.get(path) ?? 0;
    if (
      !cut ||
      cut.at < start ||
      cut.at >= end ||
      done >= (cut.times ?? Number.POSITIVE_INFINITY)
    ) {
      return end;
    }
    this.cuts.set(path, done + 1);
    return cut.at;
  }
}

function gzipped({ size, bytes }: Generated): Generated {
  const packed = gzipSync(bytes(0, size));
  return {
    size: packed.length,
    bytes: (start, end) => new Uint8Array(packed.subarray(start, end)),
  };
}

/** A prime, so that no power of two is a period. */
const PERIOD = 65521;

/** A file of any size without storing it; bytes that are off by any usual stride differ. */
export function generated(size: number): Generated {
  const period = new Uint8Array(PERIOD);
  for (let i = 0, state = 1; i < PERIOD; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    period[i] = state >>> 24;
  }
  return {
    size,
    bytes(start, end) {
      const bytes = new Uint8Array(end - start);
      for (let at = start; at < end; ) {
        const part = period.subarray(at % PERIOD, Math.min(PERIOD, (at % PERIOD) + end - at));
        bytes.set(part, at - start);
        at += part.length;
      }
      return bytes;
    },
  };
}
