/**
 * Where converted weights are kept between visits: the part of the Cache API that is needed, so that
 * `await caches.open('weights')` is one, and so is anything of the page's own with these methods. Keys are
 * paths like `/score-cam-webgpu/...`, values are responses of at most 16 MiB.
 */
export interface WeightCache {
  match(key: string): Promise<Response | undefined>;
  put(key: string, response: Response): Promise<unknown>;
  delete(key: string): Promise<unknown>;
  /** Whether this many more bytes fit; asked before the first `put`. Without it they are taken to. */
  fits?(bytes: number): Promise<boolean>;
}

const MIB = 1024 * 1024;

/** Room for an int8 VGG; an f32 one would take the page's memory away. */
const DEFAULT_MEMORY = 192 * MIB;

/** Keeps weights for as long as the page lives, up to a number of bytes. */
export class MemoryCache implements WeightCache {
  private readonly entries = new Map<string, Uint8Array<ArrayBuffer>>();
  private readonly limit: number;
  private bytes = 0;

  constructor(limit: number = DEFAULT_MEMORY) {
    this.limit = limit;
  }

  async match(key: string): Promise<Response | undefined> {
    const entry = this.entries.get(key);
    return entry && new Response(entry);
  }

  /** @throws RangeError if it does not fit; what was there stays. */
  async put(key: string, response: Response): Promise<void> {
    const entry = new Uint8Array(await response.arrayBuffer());
    const grown = this.bytes - (this.entries.get(key)?.byteLength ?? 0) + entry.byteLength;
    if (grown > this.limit) {
      throw new RangeError(`${grown} bytes exceed the ${this.limit} this memory cache may take`);
    }
    this.entries.set(key, entry);
    this.bytes = grown;
  }

  async delete(key: string): Promise<void> {
    this.bytes -= this.entries.get(key)?.byteLength ?? 0;
    this.entries.delete(key);
  }

  async fits(bytes: number): Promise<boolean> {
    return this.bytes + bytes <= this.limit;
  }
}

/**
 * The browser's own storage (Cache API), and memory for what it cannot take: storage that is full, or
 * absent as on pages that are neither https nor localhost. Keep the object: its memory goes with it.
 */
export function browserCache(name = 'score-cam-webgpu', memory = new MemoryCache()): WeightCache {
  // A private window or a sandboxed frame has `caches` and refuses to open it.
  const storage = (): Promise<Cache | undefined> =>
    typeof caches === 'undefined'
      ? Promise.resolve(undefined)
      : caches.open(name).catch(() => undefined);
  return new LayeredCache(storage, memory);
}

/** Puts into the first of two caches, into the second once the first refuses, and finds in both. */
export class LayeredCache implements WeightCache {
  private readonly storage: () => Promise<
    Pick<WeightCache, 'match' | 'put' | 'delete'> | undefined
  >;
  private readonly memory: MemoryCache;

  constructor(
    storage: () => Promise<Pick<WeightCache, 'match' | 'put' | 'delete'> | undefined>,
    memory: MemoryCache,
  ) {
    this.storage = storage;
    this.memory = memory;
  }

  async match(key: string): Promise<Response | undefined> {
    return (await this.memory.match(key)) ?? (await (await this.storage())?.match(key));
  }

  async put(key: string, response: Response): Promise<void> {
    const storage = await this.storage();
    const content = await response.blob();
    if (storage) {
      try {
        await storage.put(key, new Response(content));
        await this.memory.delete(key);
        return;
      } catch {
        // Full, most likely: browsers differ in the error. Memory may still have room.
      }
    }
    await this.memory.put(key, new Response(content));
  }

  async delete(key: string): Promise<void> {
    await this.memory.delete(key);
    await (await this.storage())?.delete(key);
  }

  async fits(bytes: number): Promise<boolean> {
    const hasStorage = (await this.storage()) !== undefined;
    const estimate = hasStorage ? await globalThis.navigator?.storage?.estimate?.() : undefined;
    // A browser that does not tell is taken at its word when it refuses.
    const free = hasStorage ? (estimate?.quota ?? Infinity) - (estimate?.usage ?? 0) : 0;
    return bytes <= free || this.memory.fits(bytes);
  }
}
