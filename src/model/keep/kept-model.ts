import { ScoreCamError } from '../../errors';
import { release } from '../../numbers/release';
import type { TensorDtype } from '../../numbers/tensor_dtypes';
import { DTYPE_BYTES, toF32 } from '../../numbers/tensor_dtypes';
import { elementCount, tensorOf, type WeightSource } from '../weight-source';
import type { WeightCache } from './cache';
import { partsOf, type TensorPart } from './parts';

interface PartEntry {
  readonly start: number;
  readonly count: number;
  readonly key: string;
  /** Of the part's bytes, where the page may compute one (secure contexts). */
  readonly sha256?: string | undefined;
}

interface Index {
  readonly version: 1;
  readonly tensors: readonly {
    readonly name: string;
    readonly shape: readonly number[];
    readonly dtype: TensorDtype;
    readonly parts: readonly PartEntry[];
  }[];
}

const VERSION = 1;

/** A part of the cache's name space for one model in one form. */
export function cacheKey(model: string, form: string): string {
  return `/score-cam-webgpu/${VERSION}/${encodeURIComponent(model)}/${encodeURIComponent(form)}`;
}

/**
 * Keeps a model's tensors as they are loaded. Each part is one entry of the cache; the index is written
 * last, so that a model is either whole in the cache or not there. A cache that fails loses the copy and
 * never the load: {@link KeptModelWriter.problem} says why.
 */
export class KeptModelWriter {
  /** Why the model is not kept; undefined while it is. */
  problem: string | undefined;
  private readonly cache: WeightCache;
  private readonly key: string;
  private readonly tensors = new Map<
    string,
    { shape: readonly number[]; dtype: TensorDtype; parts: PartEntry[] }
  >();
  private written: string[] = [];

  private constructor(cache: WeightCache, key: string) {
    this.cache = cache;
    this.key = key;
  }

  /** Begins anew; what is kept under the key is removed. */
  static async start(cache: WeightCache, key: string, bytes: number): Promise<KeptModelWriter> {
    const writer = new KeptModelWriter(cache, key);
    await writer.guarded(async () => {
      await forget(cache, key);
      if (cache.fits && !(await cache.fits(bytes))) {
        throw new Error(`${Math.ceil(bytes / 1e6)} MB do not fit into the browser's storage`);
      }
    });
    return writer;
  }

  /** @param encoded of rows, where they are in that dtype already */
  async putBlock(...block: Parameters<typeof partsOf>): Promise<void> {
    for (const part of await partsOf(...block)) await this.put(part);
  }

  async put({ tensor, shape, dtype, start, bytes }: TensorPart): Promise<void> {
    await this.guarded(async () => {
      const key = `${this.key}/${encodeURIComponent(tensor)}/${start}`;
      this.written.push(key);
      const entry = {
        start,
        count: bytes.byteLength / DTYPE_BYTES[dtype],
        key,
        sha256: await sha256(bytes),
      };
      // A blob's copy is not in the page's memory, where a body of bytes would wait for the collector.
      await this.cache.put(key, new Response(new Blob([bytes])));
      const found = this.tensors.get(tensor) ?? { shape, dtype, parts: [] };
      found.parts.push(entry);
      this.tensors.set(tensor, found);
    });
  }

  /** To be called once everything that was put has proved to be right. */
  async finish(): Promise<void> {
    await this.guarded(async () => {
      const tensors = Array.from(this.tensors, ([name, { shape, dtype, parts }]) => ({
        name,
        shape,
        dtype,
        parts: parts.sort((a, b) => a.start - b.start),
      }));
      const index: Index = { version: VERSION, tensors };
      await this.cache.put(this.key, new Response(JSON.stringify(index)));
    });
  }

  /** Removes what was put. */
  async abandon(): Promise<void> {
    const keys = this.written;
    this.written = [];
    for (const key of keys) await this.cache.delete(key).catch(() => {});
  }

  private async guarded(work: () => Promise<void>): Promise<void> {
    if (this.problem !== undefined) return;
    try {
      await work();
    } catch (error) {
      this.problem = error instanceof Error ? error.message : String(error);
      await this.abandon();
    }
  }
}

/** A kept model as a source of weights, or undefined if there is none whole. */
export async function openKept(cache: WeightCache, key: string): Promise<WeightSource | undefined> {
  const index = await readIndex(cache, key);
  if (!index) return undefined;
  const tensors = new Map(index.tensors.map((tensor) => [tensor.name, tensor]));
  const name = `kept copy ${decodeURIComponent(key)}`;
  // Reads go forwards in pieces smaller than a part, so the latest part serves several.
  let latest: { key: string; values: Float32Array<ArrayBuffer> } | undefined;
  const part = async (entry: PartEntry, dtype: TensorDtype): Promise<Float32Array> => {
    if (latest?.key !== entry.key) {
      if (latest) release(latest.values);
      latest = undefined;
      const bytes = await readPart(cache, entry, DTYPE_BYTES[dtype], name);
      latest = { key: entry.key, values: toF32(bytes, dtype) };
    }
    return latest.values;
  };
  return {
    name,
    tensors,
    async read(tensor, start, count) {
      const { parts, dtype } = tensorOf({ name, tensors }, tensor);
      const values = new Float32Array(count);
      for (const entry of parts) {
        const from = Math.max(start, entry.start);
        const to = Math.min(start + count, entry.start + entry.count);
        if (from >= to) continue;
        const found = await part(entry, dtype);
        values.set(found.subarray(from - entry.start, to - entry.start), from - start);
      }
      return values;
    },
  };
}

/** Removes a kept model. */
export async function forget(cache: WeightCache, key: string): Promise<void> {
  const index = await readIndex(cache, key);
  // The index first: without it nothing of the rest is ever used.
  await cache.delete(key);
  for (const { parts } of index?.tensors ?? []) {
    for (const entry of parts) await cache.delete(entry.key);
  }
}

async function readIndex(cache: WeightCache, key: string): Promise<Index | undefined> {
  try {
    const index = (await (await cache.match(key))?.json()) as Index | undefined;
    const whole = index?.tensors.every(({ shape, parts }) => {
      // Parts that follow each other without a gap, as many elements as the shape says.
      const end = parts.reduce((at, { start, count }) => (start === at ? at + count : NaN), 0);
      return end === elementCount(shape);
    });
    return index?.version === VERSION && whole ? index : undefined;
  } catch {
    return undefined; // What cannot be read is not kept.
  }
}

async function readPart(
  cache: WeightCache,
  entry: PartEntry,
  elementBytes: number,
  name: string,
): Promise<Uint8Array<ArrayBuffer>> {
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    const response = await cache.match(entry.key);
    bytes = new Uint8Array((await response?.arrayBuffer()) ?? new ArrayBuffer(0));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ScoreCamError('weights', `${name}: part ${entry.key} cannot be read: ${reason}.`, {
      cause,
    });
  }
  const need = entry.count * elementBytes;
  const found = bytes.byteLength === need ? await sha256(bytes) : undefined;
  if (bytes.byteLength !== need || (entry.sha256 && found && found !== entry.sha256)) {
    throw new ScoreCamError(
      'weights',
      `${name}: part ${entry.key} has ${bytes.byteLength} bytes, ${need} were kept` +
        `${bytes.byteLength === need ? ', with another SHA-256' : ''}: the browser lost or changed it.`,
    );
  }
  return bytes;
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string | undefined> {
  if (!globalThis.crypto?.subtle) return undefined;
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
