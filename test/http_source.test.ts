import { createHash } from 'node:crypto';
import puppeteer, { type Browser, type Page } from 'puppeteer';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { ScoreCamError } from '../src/errors';
import { type ByteSource, memorySource } from '../src/model/bytes/byte-source';
import { type HttpOptions, httpSource, type Retry } from '../src/model/bytes/http-source';
import { verifiedSource } from '../src/model/bytes/verified-source';
import { type Behaviour, generated, HostileServer, type Recorded } from './harness/hostile-server';

const MIB = 1024 * 1024;
const NOW: HttpOptions = { retryDelays: [0, 0, 0] };
const SMALL = 300_000;
/** Too large to be kept in memory whole. */
const LARGE = 70 * MIB;
/** VGG-16. */
const HUGE = 553_433_976;

let server: HostileServer;
let paths = 0;

beforeAll(async () => {
  server = await HostileServer.start();
});
afterAll(() => server.close());

/** Serves a generated file under a path of its own. */
function served(size: number, behaviour: Behaviour = {}) {
  const path = `/${paths++}/model.bin`;
  const content = generated(size);
  return {
    content,
    url: server.serve(path, content, behaviour),
    requests: (): Recorded[] => server.requestsOf(path),
    ranges: (): (string | undefined)[] => server.rangesOf(path),
  };
}

async function failure(promise: Promise<unknown>): Promise<ScoreCamError> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason) => reason,
  );
  expect(error).toBeInstanceOf(ScoreCamError);
  return error as ScoreCamError;
}

/** `weights`, and a message that names all of these. */
async function expectFailure(promise: Promise<unknown>, ...parts: string[]): Promise<void> {
  const { code, message } = await failure(promise);
  expect(code).toBe('weights');
  for (const part of parts) expect(message).toContain(part);
}

/** Equality of megabytes without a report of megabytes. */
function expectBytes(found: Uint8Array, expected: Uint8Array): void {
  expect(found.length).toBe(expected.length);
  expect(Buffer.compare(found, expected)).toBe(0);
}

async function readAll(source: ByteSource, piece: number): Promise<string> {
  const hash = createHash('sha256');
  for (let at = 0; at < source.size; at += piece) {
    hash.update(await source.read(at, Math.min(piece, source.size - at)));
  }
  return hash.digest('hex');
}

function digestOf({ size, bytes }: ReturnType<typeof generated>): string {
  const hash = createHash('sha256');
  for (let at = 0; at < size; at += MIB) hash.update(bytes(at, Math.min(size, at + MIB)));
  return hash.digest('hex');
}

describe('a file on the web', () => {
  it('read forwards is one request', async () => {
    const file = served(SMALL, { etag: '"one"' });
    let received = 0;
    const source = await httpSource(new URL(file.url), { onBytes: (bytes) => (received += bytes) });
    expect(source.name).toBe(file.url);
    expect(source.size).toBe(SMALL);
    expect(source.revision).toBe('"one"');
    expectBytes(await source.read(0, 8), file.content.bytes(0, 8));
    expectBytes(await source.read(8, 100_000), file.content.bytes(8, 100_008));
    // A gap is read over.
    expectBytes(await source.read(150_000, 150_000), file.content.bytes(150_000, SMALL));
    expect(file.ranges()).toEqual([undefined]);
    expect(received).toBe(SMALL);
    expect(await file.requests()[0]?.ended).toBe('whole');
  });

  it('of 553 MB arrives whole over a connection that breaks three times', async () => {
    const file = served(HUGE, { cut: { at: 200 * MIB, times: 3 } });
    const retries: Retry[] = [];
    const source = await httpSource(file.url, { ...NOW, onRetry: (retry) => retries.push(retry) });
    expect(await readAll(source, 3 * MIB + 1)).toBe(digestOf(file.content));
    expect(file.ranges()).toEqual([undefined, ...Array(3).fill(`bytes=${200 * MIB}-`)]);
    expect(retries.map(({ offset, attempt, attempts }) => [offset, attempt, attempts])).toEqual(
      [1, 2, 3].map((attempt) => [200 * MIB, attempt, 3]),
    );
  });

  it('is not read ahead of the reader', async () => {
    const file = served(HUGE);
    const source = await httpSource(file.url);
    await source.read(0, MIB);
    const [request] = file.requests() as [Recorded];
    await server.standsStill(request);
    // What the operating system buffers for both ends.
    expect(request.sent).toBeLessThan(32 * MIB);
    await source.read(MIB, 64 * MIB);
    await server.standsStill(request);
    expect(request.sent).toBeLessThan(97 * MIB);
    await source.close();
    expect(await request.ended).toBe('left');
  });

  it('read backwards, and far ahead, is one request each', async () => {
    const file = served(LARGE);
    const source = await httpSource(file.url);
    const reads = [
      [LARGE - 100, 100],
      [10 * MIB, 50],
      [10 * MIB + 50, 50],
      [13 * MIB, 10],
      [0, 20],
    ] as const;
    for (const [start, length] of reads) {
      expectBytes(await source.read(start, length), file.content.bytes(start, start + length));
    }
    expect(file.ranges()).toEqual([
      undefined,
      `bytes=${LARGE - 100}-`,
      `bytes=${10 * MIB}-`,
      undefined,
    ]);
    await source.close();
  });

  it('serves reads that were asked for at once, in order', async () => {
    const file = served(SMALL);
    const source = await httpSource(file.url);
    const starts = [0, 100_000, 200_000, 50_000];
    const found = await Promise.all(starts.map((start) => source.read(start, 100_000)));
    for (const [i, start] of starts.entries()) {
      expectBytes(found[i] as Uint8Array, file.content.bytes(start, start + 100_000));
    }
    expect(file.ranges()).toEqual([undefined, 'bytes=50000-']);
  });

  it('one read that fails does not fail the one queued after it', async () => {
    const file = served(SMALL);
    const source = await httpSource(file.url);
    const [bad, good] = await Promise.allSettled([source.read(SMALL - 5, 10), source.read(0, 10)]);
    expect(bad.status).toBe('rejected');
    expect(good.status).toBe('fulfilled');
    await source.close();
  });

  it.each([
    [-1, 5],
    [0.5, 1],
    [Number.NaN, 1],
    [0, -1],
    [SMALL, 1],
    [0, SMALL + 1],
  ])('refuses %d, %d', async (start, length) => {
    const source = await httpSource(served(SMALL).url);
    await expectFailure(source.read(start, length), source.name, `${length} bytes`);
    await source.close();
  });

  it('may be empty, and so may a read', async () => {
    const empty = await httpSource(served(0).url);
    expect(empty.size).toBe(0);
    expect((await empty.read(0, 0)).length).toBe(0);
    await empty.close();
    const source = await httpSource(served(SMALL).url);
    expect((await source.read(SMALL, 0)).length).toBe(0);
    await source.close();
  });

  it('is found behind a redirect, under the name it was asked for', async () => {
    const file = served(SMALL, { cut: { at: 1000, times: 1 } });
    const moved = served(0, { redirect: file.url });
    const source = await httpSource(moved.url, NOW);
    expect(await readAll(source, SMALL)).toBe(digestOf(file.content));
    expect(source.name).toBe(moved.url);
    expect(moved.ranges()).toEqual([undefined, 'bytes=1000-']);
  });

  it('is read through a body that is no byte stream too, which may break off', async () => {
    const file = served(SMALL, { cut: { at: 77_777, times: 1 } });
    const plain: typeof fetch = async (input, init) => {
      const { body, status, headers } = await fetch(input, init);
      const chunks = (body as ReadableStream<Uint8Array<ArrayBuffer>>).pipeThrough(
        new TransformStream(),
      );
      return new Response(chunks, { status, headers });
    };
    const source = await httpSource(file.url, { ...NOW, fetch: plain });
    expect(await readAll(source, 12_345)).toBe(digestOf(file.content));
    expect(file.ranges()[1]).toMatch(/^bytes=\d+-$/);
  });
});

describe('a body that breaks off', () => {
  it('is gone on with as long as bytes come', async () => {
    const file = served(SMALL, { cutEvery: 30_000 });
    const source = await httpSource(file.url, { retryDelays: [0] });
    expect(await readAll(source, 100_000)).toBe(digestOf(file.content));
    expect(file.ranges().slice(0, 3)).toEqual([undefined, 'bytes=30000-', 'bytes=60000-']);
    expect(file.requests().length).toBe(10);
  });

  it('always at the same byte is given up', async () => {
    const file = served(SMALL, { cut: { at: 4000 } });
    const source = await httpSource(file.url, NOW);
    await expectFailure(source.read(0, 5000), file.url, 'byte 4000', '3 further tries');
    expect(file.ranges()).toEqual([undefined, ...Array(3).fill('bytes=4000-')]);
    // What is there can still be read.
    expectBytes(await source.read(0, 4000), file.content.bytes(0, 4000));
  });

  it('is not gone on with where no tries are allowed', async () => {
    const file = served(SMALL, { cut: { at: 4000, times: 1 } });
    const source = await httpSource(file.url, { retryDelays: [] });
    await expectFailure(source.read(0, SMALL), file.url, 'byte 4000', '0 further tries');
  });

  it('is refused if it is another file by then', async () => {
    const etag = served(SMALL, { cut: { at: 9, times: 1 }, etag: (request) => `"${request}"` });
    const first = await httpSource(etag.url, NOW);
    await expectFailure(
      first.read(0, SMALL),
      etag.url,
      'from 9',
      '"1"',
      '"0"',
      'changed',
      'load it again',
    );
    expect(etag.requests().length).toBe(2);

    const longer = served(SMALL, {
      cut: { at: 9, times: 1 },
      contentRange: (start, end, size) => `bytes ${start}-${end}/${size + 1}`,
    });
    const second = await httpSource(longer.url, NOW);
    await expectFailure(second.read(0, SMALL), longer.url, `/${SMALL + 1}"`, 'changed');
  });

  it('is refused if it goes on elsewhere', async () => {
    const file = served(SMALL, {
      cut: { at: 9, times: 1 },
      contentRange: (start, end, size) => `bytes ${start + 1}-${end - 1}/${size}`,
    });
    const source = await httpSource(file.url, NOW);
    await expectFailure(
      source.read(0, SMALL),
      file.url,
      `"bytes 10-${SMALL - 1}/${SMALL}"`,
      `"bytes 9-${SMALL - 1}/${SMALL}"`,
    );
  });

  it('is gone on with where Content-Range cannot be seen', async () => {
    const file = served(SMALL, { cutEvery: 100_000, contentRange: () => undefined });
    const source = await httpSource(file.url, NOW);
    expect(await readAll(source, SMALL)).toBe(digestOf(file.content));
  });

  it('shorter than announced is told so', async () => {
    const file = served(SMALL, { announce: SMALL + 50 });
    const source = await httpSource(file.url, NOW);
    expect(source.size).toBe(SMALL + 50);
    expectBytes(await source.read(0, SMALL), file.content.bytes(0, SMALL));
    await expectFailure(
      source.read(SMALL, 50),
      file.url,
      `from ${SMALL}`,
      `${SMALL} bytes in all`,
      `shorter than the ${SMALL + 50} bytes`,
    );
  });

  it('longer than announced is told so', async () => {
    const file = served(SMALL);
    // Node and browsers cut what comes after Content-Length; an encoding that a site hides does this.
    const lying: typeof fetch = async (input, init) => {
      const { body } = await fetch(input, init);
      return new Response(body, { headers: { 'content-length': '200000' } });
    };
    const source = await httpSource(file.url, { ...NOW, fetch: lying });
    await source.read(0, 100_000);
    await expectFailure(
      source.read(100_000, 100_000),
      file.url,
      '200000 bytes were announced',
      'Access-Control-Expose-Headers',
    );
  });

  it('comes in ranges shorter than asked for, without a wait', async () => {
    const file = served(SMALL, { cut: { at: 50_000, times: 1 }, longestRange: 100_000 });
    const retries: Retry[] = [];
    const source = await httpSource(file.url, { ...NOW, onRetry: (retry) => retries.push(retry) });
    expect(await readAll(source, 260_000)).toBe(digestOf(file.content));
    expect(file.ranges()).toEqual([undefined, 'bytes=50000-', 'bytes=150000-', 'bytes=250000-']);
    expect(retries.length).toBe(1);
  });
});

describe('a server that ignores ranges', () => {
  it('has small files kept in memory', async () => {
    const file = served(SMALL, { ignoreRange: true, cut: { at: 123_456, times: 2 } });
    const source = await httpSource(file.url, NOW);
    expect(await readAll(source, 50_000)).toBe(digestOf(file.content));
    expectBytes(await source.read(10, 20), file.content.bytes(10, 30));
    expectBytes(await source.read(5, 20), file.content.bytes(5, 25));
    expect(file.ranges()).toEqual([undefined, 'bytes=123456-', undefined]);
  });

  it('has large files read again from the start, a few times', async () => {
    const file = served(LARGE, { ignoreRange: true });
    const source = await httpSource(file.url, NOW);
    for (const start of [LARGE - 10, 20 * MIB, 10 * MIB, 0]) {
      expectBytes(await source.read(start, 10), file.content.bytes(start, start + 10));
    }
    await source.read(5 * MIB, 10);
    expect(file.ranges()).toEqual([undefined, `bytes=${LARGE - 10}-`, ...Array(3).fill(undefined)]);
    await expectFailure(source.read(MIB, 10), file.url, `byte ${MIB}`, 'ignores ranges', '4 times');
  });

  it('and says so is not asked for any', async () => {
    const file = served(LARGE, { ignoreRange: 'told' });
    const source = await httpSource(file.url, NOW);
    for (const start of [LARGE - 10, 10 * MIB]) {
      expectBytes(await source.read(start, 10), file.content.bytes(start, start + 10));
    }
    expect(file.ranges()).toEqual([undefined, undefined]);
    await source.close();
  });

  it('may still break off', async () => {
    const file = served(LARGE, { ignoreRange: true, cut: { at: 66 * MIB, times: 2 } });
    const source = await httpSource(file.url, NOW);
    expect(await readAll(source, MIB)).toBe(digestOf(file.content));
    expect(file.requests().length).toBe(3);
  });
});

describe('an answer without the file', () => {
  it.each([
    [404, 'check the address'],
    [410, 'check the address'],
    [403, 'without logging in'],
    [204, 'Expected was 200'],
  ])('%d is final', async (status, remedy) => {
    const file = served(SMALL, { status: () => status });
    await expectFailure(
      httpSource(file.url, NOW),
      file.url,
      `answered ${status}`,
      'byte 0',
      remedy,
    );
    expect(file.requests().length).toBe(1);
  });

  it.each([429, 500, 502, 503, 504])('%d is asked again', async (status) => {
    const file = served(SMALL, { status: (request) => (request < 3 ? status : undefined) });
    const source = await httpSource(file.url, NOW);
    expect(await readAll(source, SMALL)).toBe(digestOf(file.content));
    expect(file.requests().length).toBe(4);
    const never = served(SMALL, { status: () => status });
    await expectFailure(httpSource(never.url, NOW), never.url, `${status}`, '3 further tries');
    expect(never.requests().length).toBe(4);
  });

  it('has its Retry-After respected, within reason', async () => {
    for (const [retryAfter, expected] of [
      ['0', 5],
      ['7', 7000],
      ['86400', 30_000],
      ['Wed, 21 Oct 2015 07:28:00 GMT', 5],
    ] as const) {
      const file = served(SMALL, { status: () => 503, retryAfter });
      const given = new AbortController();
      const delays: number[] = [];
      const opened = httpSource(file.url, {
        signal: given.signal,
        retryDelays: [5],
        onRetry: ({ delay }) => {
          delays.push(delay);
          given.abort(new Error('heard'));
        },
      });
      await expect(opened).rejects.toThrow('heard');
      expect(delays).toEqual([expected]);
    }
  });

  it('a passing failure in the middle passes, a final one is told', async () => {
    const busy = served(SMALL, {
      cut: { at: 9, times: 1 },
      status: (request) => (request === 1 ? 503 : undefined),
    });
    expect(await readAll(await httpSource(busy.url, NOW), SMALL)).toBe(digestOf(busy.content));
    const gone = served(SMALL, {
      cut: { at: 9, times: 1 },
      status: (request) => (request === 1 ? 404 : undefined),
    });
    const source = await httpSource(gone.url, NOW);
    await expectFailure(source.read(0, SMALL), gone.url, 'answered 404', 'byte 9');
  });

  it('a web page is refused', async () => {
    const file = served(SMALL, { type: 'text/html; charset=utf-8' });
    await expectFailure(httpSource(file.url, NOW), file.url, 'web page', 'text/html');
    expect(await file.requests()[0]?.ended).not.toBe('cut');
    const url = 'https://huggingface.co/timm/vgg16.tv_in1k/blob/main/model.safetensors';
    const page: typeof fetch = async () =>
      new Response('<html>', { headers: { 'content-type': 'text/html' } });
    await expectFailure(
      httpSource(url, { ...NOW, fetch: page }),
      url,
      'https://huggingface.co/timm/vgg16.tv_in1k/resolve/main/model.safetensors',
    );
  });

  it('a server that is not there is told at once, and tried again after it was', async () => {
    const other = await HostileServer.start();
    const url = other.serve('/a', generated(SMALL), { stallAt: 1000 });
    const source = await httpSource(url, NOW);
    await source.read(0, 1000);
    await other.close();
    const retries: Retry[] = [];
    await expectFailure(
      httpSource(url, { ...NOW, onRetry: (retry) => retries.push(retry) }),
      url,
      'byte 0',
      'CORS',
    );
    expect(retries.length).toBe(0);
    await expectFailure(source.read(1000, 1), url, 'byte 1000', '3 further tries');
  });

  it('an address that is none', async () => {
    await expectFailure(httpSource('model.safetensors'), '"model.safetensors"', 'https://');
  });
});

describe('a file whose length is not announced', () => {
  it.each([{ gzip: true }, { chunked: true }, { gzip: true, chunked: true }])(
    '%o is read whole',
    async (behaviour) => {
      const file = served(SMALL, { ...behaviour, cut: { at: 100, times: 1 } });
      const source = await httpSource(file.url, NOW);
      expect(source.size).toBe(SMALL);
      expectBytes(await source.read(200_000, 100_000), file.content.bytes(200_000, SMALL));
      expectBytes(await source.read(0, 10), file.content.bytes(0, 10));
      expect(file.ranges()).toEqual([undefined, undefined]);
    },
  );

  it('is refused beyond 64 MiB', async () => {
    const chunked = served(HUGE, { chunked: true });
    await expectFailure(httpSource(chunked.url), chunked.url, 'without Content-Length', '67108864');
    expect(await chunked.requests()[0]?.ended).toBe('left');
    const gzip = served(LARGE, { gzip: true });
    await expectFailure(httpSource(gzip.url), gzip.url, 'Content-Encoding gzip', 'as they are');
  });
});

describe('aborting', () => {
  const reason = new Error('changed my mind');

  it.each([
    ['before the answer', -1],
    ['in the middle of the body', 1000],
  ])('%s', async (_, stallAt) => {
    const file = served(SMALL, { stallAt });
    const given = new AbortController();
    const read = httpSource(file.url, { signal: given.signal }).then((source) =>
      source.read(0, SMALL),
    );
    read.catch(() => {});
    while (file.requests().length === 0) await new Promise((resolve) => setImmediate(resolve));
    const [request] = file.requests() as [Recorded];
    await server.standsStill(request);
    given.abort(reason);
    await expect(read).rejects.toBe(reason);
    expect(await request.ended).toBe('left');
  });

  it('before anything', async () => {
    const file = served(SMALL);
    const opened = httpSource(file.url, { signal: AbortSignal.abort(reason) });
    await expect(opened).rejects.toBe(reason);
    expect(file.requests()).toEqual([]);
  });

  it('between two reads, and while others wait', async () => {
    const file = served(HUGE);
    const given = new AbortController();
    const source = await httpSource(file.url, { signal: given.signal });
    await source.read(0, 10);
    given.abort(reason);
    expect(await file.requests()[0]?.ended).toBe('left');
    const reads = [source.read(10, 10), source.read(20, 10)];
    for (const read of reads) await expect(read).rejects.toBe(reason);
  });

  it('while waiting to try again', async () => {
    const file = served(SMALL, { status: () => 503 });
    const given = new AbortController();
    const opened = httpSource(file.url, {
      signal: given.signal,
      // Longer than a test may take.
      retryDelays: [10_000_000],
      onRetry: () => setImmediate(() => given.abort(reason)),
    });
    await expect(opened).rejects.toBe(reason);
  });

  it('by close, which ends what is being read', async () => {
    const file = served(SMALL, { stallAt: 1000 });
    const source = await httpSource(file.url);
    const read = failure(source.read(0, SMALL));
    await server.standsStill(file.requests()[0] as Recorded);
    await source.close();
    expect((await read).code).toBe('disposed');
    expect((await failure(source.read(0, 1))).code).toBe('disposed');
    expect(await file.requests()[0]?.ended).toBe('left');
    await source.close();
  });
});

describe('a verified file', () => {
  const content = generated(5 * MIB + 7);
  const bytes = content.bytes(0, content.size);
  const digest = digestOf(content);

  /** The file in memory, and what was read of it. */
  function watched(data = bytes) {
    const inner = memorySource('model.bin', data);
    const reads: [number, number][] = [];
    const source: ByteSource = {
      ...inner,
      read(start, length) {
        reads.push([start, length]);
        return inner.read(start, length);
      },
    };
    return { source, reads };
  }

  it.each([digest, digest.toUpperCase(), digest.slice(0, 8)])('has digest %s', async (sha256) => {
    const { source, reads } = watched();
    const file = verifiedSource(source, { sha256, bytes: bytes.length });
    expectBytes(await file.read(0, 100), bytes.slice(0, 100));
    expectBytes(await file.read(3 * MIB, 100), bytes.slice(3 * MIB, 3 * MIB + 100));
    expectBytes(await file.read(50, 20), bytes.slice(50, 70));
    // Half of it is new.
    expectBytes(await file.read(3 * MIB, 200), bytes.slice(3 * MIB, 3 * MIB + 200));
    await file.verify();
    await file.verify();
    expect(Math.max(...reads.map(([, length]) => length))).toBeLessThanOrEqual(MIB);
    const inOrder = reads.filter(([start]) => start !== 50).map(([, length]) => length);
    // One pass: only the 100 bytes asked for twice were read twice.
    expect(inOrder.reduce((a, b) => a + b, 0)).toBe(bytes.length + 100);
  });

  it('with its directory at the end is not read twice', async () => {
    const { source, reads } = watched();
    const file = verifiedSource(source, { sha256: digest });
    await file.read(bytes.length - 1000, 1000);
    await file.read(0, 1000);
    await file.verify();
    expect(reads.slice(0, 2)).toEqual([
      [bytes.length - 1000, 1000],
      [0, 1000],
    ]);
    expect(reads.reduce((sum, [, length]) => sum + length, 0)).toBe(bytes.length + 1000);
  });

  it('is told when one bit differs', async () => {
    const wrong = bytes.slice();
    wrong[4 * MIB] = (wrong[4 * MIB] as number) ^ 1;
    for (const sha256 of [digest, digest.slice(0, 8)]) {
      const file = verifiedSource(watched(wrong).source, { sha256 });
      await file.read(0, 10);
      const found = createHash('sha256').update(wrong).digest('hex');
      await expectFailure(file.verify(), 'model.bin', found, sha256, 'damaged');
      await expectFailure(file.verify(), found);
    }
  });

  it('is told when the server flips a byte, after a break too', async () => {
    for (const [flip, ok] of [
      [undefined, true],
      [250_000, false],
    ] as const) {
      const file = served(SMALL, {
        cut: { at: 200_000, times: 1 },
        ...(flip === undefined ? {} : { flip }),
      });
      const source = await httpSource(file.url, NOW);
      const verified = verifiedSource(source, { sha256: digestOf(file.content) });
      await verified.read(1000, 1000);
      if (ok) await verified.verify();
      else await expectFailure(verified.verify(), file.url, 'damaged');
    }
  });

  it('hashes reads that were asked for at once, in order', async () => {
    const file = verifiedSource(watched().source, { sha256: digest });
    const starts = [0, 2 * MIB, MIB, 4 * MIB];
    const work = [...starts.map((start) => file.read(start, MIB)), file.verify()];
    const found = (await Promise.all(work)) as Uint8Array[];
    for (const [i, start] of starts.entries()) {
      expectBytes(found[i] as Uint8Array, bytes.slice(start, start + MIB));
    }
  });

  it('without a digest is handed through', async () => {
    const { source, reads } = watched();
    const file = verifiedSource(source, {});
    await file.read(3 * MIB, 10);
    await file.verify();
    expect(reads).toEqual([[3 * MIB, 10]]);
  });

  it('is refused for its size or a digest that is none', () => {
    expect(() => verifiedSource(watched().source, { bytes: 5 })).toThrow(
      `model.bin has ${bytes.length} bytes, expected were 5`,
    );
    for (const sha256 of ['', 'abc', 'x'.repeat(64), 'a'.repeat(65)]) {
      expect(() => verifiedSource(watched().source, { sha256 })).toThrow('64 hexadecimal digits');
    }
  });
});

describe('in a browser', () => {
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    browser = await puppeteer.connect({
      browserWSEndpoint: inject('browserEndpoint'),
      protocolTimeout: 0,
    });
    page = await browser.newPage();
    await page.goto(`${inject('baseUrl')}/test/harness/page.html`);
  });
  afterAll(async () => {
    await page?.close();
    await browser?.disconnect();
  });

  /**
   * Opens a file of another site and reads ranges of it; answers with their SHA-256, or with the error's
   * message. As text, since it runs over there.
   */
  async function readThere(
    url: string,
    reads: readonly (readonly [number, number])[],
  ): Promise<{ size: number; digests: string[]; message: string }> {
    const result = await page.evaluate(`(async () => {
      const { httpSource } = await import('${inject('baseUrl')}/src/model/bytes/http-source.ts');
      const { Sha256 } = await import('${inject('baseUrl')}/src/model/bytes/sha256.ts');
      const result = { size: 0, digests: [], message: '' };
      try {
        const source = await httpSource('${url}', { retryDelays: [0, 0, 0] });
        result.size = source.size;
        for (const [start, length] of ${JSON.stringify(reads)}) {
          result.digests.push(new Sha256().update(await source.read(start, length)).digest());
        }
        window.kept = source;
      } catch (error) {
        result.message = error.name + ': ' + error.message;
      }
      return result;
    })()`);
    return result as { size: number; digests: string[]; message: string };
  }

  it.each(['exposed', 'hidden'] as const)(
    'resumes and goes back across sites without a preflight, headers %s',
    async (headers) => {
      const file = served(HUGE, {
        etag: '"same"',
        cut: { at: 3 * MIB + 5, times: 2 },
        ...(headers === 'hidden' ? { cors: 'hidden' } : {}),
      });
      const reads = [
        [0, 8 * MIB],
        [HUGE - 77, 77],
        [8 * MIB, MIB],
      ] as const;
      const { size, digests, message } = await readThere(file.url, reads);
      expect(message).toBe('');
      expect(size).toBe(HUGE);
      expect(digests).toEqual(
        reads.map(([start, length]) =>
          createHash('sha256')
            .update(file.content.bytes(start, start + length))
            .digest('hex'),
        ),
      );
      expect(file.requests().every(({ method }) => method === 'GET')).toBe(true);
      // Chrome drops what it had not handed out when a body broke off.
      const ranges = file.ranges();
      expect(ranges[0]).toBe(undefined);
      for (const range of ranges.slice(1, 3)) expect(range).toMatch(/^bytes=\d+-$/);
      expect(ranges.slice(3)).toEqual([`bytes=${HUGE - 77}-`, `bytes=${8 * MIB}-`]);
      // Chrome itself holds some 60 MiB on the way, and no more.
      const request = file.requests().at(-1) as Recorded;
      await server.standsStill(request);
      expect(request.sent).toBeLessThan(256 * MIB);
      await page.evaluate('window.kept.close()');
      expect(await request.ended).toBe('left');
    },
  );

  it.each([
    ['shorter', new Uint8Array(SMALL).fill(7)],
    ['longer', generated(SMALL).bytes(0, SMALL)],
  ])(
    'learns the length of a small file that is compressed behind its back, %s',
    async (_, bytes) => {
      const path = `/${paths++}/model.json`;
      const url = server.serve(path, bytes, { gzip: true, cors: 'hidden' });
      const { size, digests, message } = await readThere(url, [[0, SMALL]]);
      expect(message).toBe('');
      expect(size).toBe(SMALL);
      expect(digests).toEqual([createHash('sha256').update(bytes).digest('hex')]);
    },
  );

  it('is told of a large file that is compressed behind its back', async () => {
    // Random enough that gzip leaves more than a MiB of it, and zeros that it removes.
    const bytes = new Uint8Array(8 * MIB);
    const noise = createHash('sha256');
    for (let at = 0; at < 2 * MIB; at += 32) {
      bytes.set(noise.update('more').copy().digest(), at);
    }
    const url = server.serve(`/${paths++}/model.bin`, bytes, { gzip: true, cors: 'hidden' });
    const first = await readThere(url, [[0, MIB]]);
    expect(first.message).toBe('');
    expect(first.size).toBeLessThan(3 * MIB);
    const { message } = await readThere(url, [[0, first.size]]);
    expect(message).toContain(`${url}: ${first.size} bytes were announced`);
    expect(message).toContain('Access-Control-Expose-Headers');
  });

  it('is told why a site cannot be read', async () => {
    const file = served(SMALL, { cors: 'none' });
    const { message } = await readThere(file.url, []);
    expect(message).toContain('ScoreCamError');
    expect(message).toContain(file.url);
    expect(message).toContain('CORS');
  });
});
