import type { Precision } from '../numbers/dtypes';
import { type ConvTuning, checkedTuning } from '../plan/tuned';

/** Keeps tunings between visits: a page's own, or {@link browserTuningCache}. Values are JSON. */
export interface TuningCache {
  get(key: string): string | null | undefined | Promise<string | null | undefined>;
  put(key: string, value: string): void | Promise<void>;
}

/** The page's localStorage; nothing is kept where there is none or it refuses (workers, private windows). */
export function browserTuningCache(): TuningCache {
  return {
    get: (key) => {
      try {
        return globalThis.localStorage?.getItem(key);
      } catch {
        return undefined;
      }
    },
    put: (key, value) => {
      try {
        globalThis.localStorage?.setItem(key, value);
      } catch {
        // Full or forbidden: the next visit measures again.
      }
    },
  };
}

const keyOf = (adapterKey: string, precision: Precision): string =>
  `score-cam-webgpu tuning ${precision} ${adapterKey}`;

/** What is kept for an adapter, by `Gpu.adapterKey`; undefined where nothing is, or nothing that can be used. */
export async function keptTuning(
  cache: TuningCache,
  adapterKey: string,
  precision: Precision,
): Promise<ConvTuning | undefined> {
  try {
    const text = await cache.get(keyOf(adapterKey, precision));
    return text ? checkedTuning(JSON.parse(text)) : undefined;
  } catch {
    return undefined; // What cannot be read is not kept.
  }
}

/** Keeps a tuning; a cache that fails loses the copy and nothing else. */
export async function keepTuning(
  cache: TuningCache,
  adapterKey: string,
  tuning: ConvTuning,
): Promise<void> {
  try {
    await cache.put(keyOf(adapterKey, tuning.precision), JSON.stringify(tuning));
  } catch {
    // The next visit measures again.
  }
}
