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
