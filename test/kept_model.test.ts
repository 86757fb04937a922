import { describe, expect, it } from 'vitest';
import { LayeredCache, MemoryCache, type WeightCache } from '../src/model/keep/cache';
import { keepManifest, keptManifest } from '../src/model/keep/kept-manifest';
import { cacheKey, forget, KeptModelWriter, openKept } from '../src/model/keep/kept-model';
import type { TensorPart } from '../src/model/keep/parts';
import { narrowManifest } from './harness/narrow-vgg';

const KEY = cacheKey('vgg16 https://example.org/a b.safetensors', 'int8');

/** Two tensors in three parts, the second of them out of order. */
const PARTS: readonly TensorPart[] = [
  part('a', [5], 'F32', 0, new Uint8Array(Float32Array.of(1, 2, 3, 4, 5).buffer)),
  part('b', [2, 3], 'I8', 3, Uint8Array.of(253, 127, 0)),
  part('b', [2, 3], 'I8', 0, Uint8Array.of(1, 2, 129)),
];

function part(
  tensor: string,
  shape: readonly number[],
  dtype: TensorPart['dtype'],
  start: number,
  bytes: Uint8Array<ArrayBuffer>,
): TensorPart {
  return { tensor, shape, dtype, start, bytes };
}

async function keep(cache: WeightCache, parts = PARTS): Promise<KeptModelWriter> {
  const writer = await KeptModelWriter.start(cache, KEY, 26);
  for (const one of parts) await writer.put(one);
  return writer;
}

describe('a kept model', () => {
  it('comes back as it was put, in parts of any size', async () => {
    const cache = new MemoryCache();
    await (await keep(cache)).finish();
    const source = await openKept(cache, KEY);
    expect(source?.tensors.get('b')).toMatchObject({ shape: [2, 3], dtype: 'I8' });
    expect([...((await source?.read('a', 1, 3)) ?? [])]).toEqual([2, 3, 4]);
    expect([...((await source?.read('b', 1, 5)) ?? [])]).toEqual([2, -127, -3, 127, 0]);
    await expect(source?.read('c', 0, 1)).rejects.toThrow('there is no tensor "c"; it holds a, b');
  });

  it('is not there before it is finished, nor after it is abandoned or forgotten', async () => {
    const cache = new MemoryCache();
    const writer = await keep(cache);
    expect(await openKept(cache, KEY)).toBeUndefined();
    await writer.abandon();
    expect(await cache.fits(192 * 1024 * 1024)).toBe(true);
    await (await keep(cache)).finish();
    await forget(cache, KEY);
    expect(await openKept(cache, KEY)).toBeUndefined();
    expect(await cache.fits(192 * 1024 * 1024)).toBe(true);
  });

  it('is not taken for whole if a part was never put', async () => {
    const cache = new MemoryCache();
    await (await keep(cache, PARTS.slice(0, 2))).finish();
    expect(await openKept(cache, KEY)).toBeUndefined();
  });

  it.each([
    ['gone', undefined, 'has 0 bytes, 3 were kept'],
    ['shorter', Uint8Array.of(1, 2), 'has 2 bytes, 3 were kept'],
    ['changed', Uint8Array.of(1, 2, 3), 'another SHA-256'],
  ])('is refused if a part is %s', async (_what, bytes, message) => {
    const cache = new MemoryCache();
    await (await keep(cache)).finish();
    await cache.delete(`${KEY}/b/0`);
    if (bytes) await cache.put(`${KEY}/b/0`, new Response(bytes));
    const source = await openKept(cache, KEY);
    await expect(source?.read('b', 0, 6)).rejects.toThrow(message);
  });

  it('is refused, as what it is, if the browser cannot read a part', async () => {
    const cache = new MemoryCache();
    await (await keep(cache)).finish();
    const source = await openKept(cache, KEY);
    cache.match = async () => {
      throw new DOMException('the disk is gone', 'UnknownError');
    };
    await expect(source?.read('b', 0, 6)).rejects.toMatchObject({
      code: 'weights',
      message: expect.stringContaining('/b/0 cannot be read: the disk is gone'),
    });
  });

  it('is no model if its index is damaged', async () => {
    const cache = new MemoryCache();
    await (await keep(cache)).finish();
    await cache.put(KEY, new Response('{"version":1,'));
    expect(await openKept(cache, KEY)).toBeUndefined();
  });

  it('says why it is not kept, and never fails the load', async () => {
    const small = new MemoryCache(22);
    const writer = await keep(small);
    expect(writer.problem).toContain('do not fit');
    await writer.finish();
    expect(await openKept(small, KEY)).toBeUndefined();

    const refusing: WeightCache = {
      match: async () => undefined,
      put: async () => {
        throw new Error('the disk is on fire');
      },
      delete: async () => undefined,
    };
    expect((await keep(refusing)).problem).toBe('the disk is on fire');
  });
});

describe('a kept manifest', () => {
  const address = 'https://example.org/m/manifest.json';

  it('comes back as it was, for its own address alone', async () => {
    const cache = new MemoryCache();
    await keepManifest(cache, address, narrowManifest);
    expect(await keptManifest(cache, address)).toEqual(narrowManifest);
    expect(await keptManifest(cache, `${address}?2`)).toBeUndefined();
  });

  it('is none if it is damaged, or the cache fails', async () => {
    const cache = new MemoryCache();
    await keepManifest(cache, address, narrowManifest);
    await cache.put(
      cacheKey(address, 'manifest'),
      new Response('{"format":"score-cam-webgpu/model"}'),
    );
    expect(await keptManifest(cache, address)).toBeUndefined();
    const full = new MemoryCache(10);
    await keepManifest(full, address, narrowManifest);
    expect(await keptManifest(full, address)).toBeUndefined();
  });
});

describe('storage with memory behind it', () => {
  /** Storage that takes so many entries and then refuses, as a full one does. */
  class FillingStorage extends MemoryCache {
    room: number;
    constructor(room: number) {
      super();
      this.room = room;
    }
    override async put(key: string, response: Response): Promise<void> {
      if (this.room-- <= 0) throw new DOMException('Quota exceeded', 'QuotaExceededError');
      await super.put(key, response);
    }
  }

  it('keeps in memory what no longer fits into storage', async () => {
    const storage = new FillingStorage(2);
    const memory = new MemoryCache();
    const cache = new LayeredCache(async () => storage, memory);
    const writer = await keep(cache);
    await writer.finish();
    expect(writer.problem).toBeUndefined();
    expect(await storage.match(`${KEY}/a/0`)).toBeDefined();
    expect(await memory.match(`${KEY}/b/0`)).toBeDefined();
    const source = await openKept(cache, KEY);
    expect([...((await source?.read('b', 0, 6)) ?? [])]).toEqual([1, 2, -127, -3, 127, 0]);
  });

  it('leaves nothing behind where neither takes all', async () => {
    const storage = new FillingStorage(1);
    const memory = new MemoryCache(4);
    const writer = await keep(new LayeredCache(async () => storage, memory));
    expect(writer.problem).toContain('exceed');
    expect(await storage.match(`${KEY}/a/0`)).toBeUndefined();
    expect(await memory.fits(4)).toBe(true);
  });

  it('works where there is no storage at all', async () => {
    const cache = new LayeredCache(async () => undefined, new MemoryCache());
    expect(await cache.fits(1000)).toBe(true);
    await (await keep(cache)).finish();
    expect(await openKept(cache, KEY)).toBeDefined();
  });
});
