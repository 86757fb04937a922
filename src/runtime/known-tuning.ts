import type { Gpu } from '../gpu/gpu';
import type { Precision } from '../numbers/dtypes';
import type { ConvTuning } from '../plan/tuned';
import type { TuningCache } from './tuning-cache';

/*
 * Which of the tunings that were made before is of use: of this kind of GPU, by these kernels, and whole.
 */

/** Goes up when kernels change, or how they are timed, so that what is kept is measured anew. */
export const TUNING_VERSION = 4;

/**
 * Tells one kind of GPU from another as far as the browser lets it be told: by what it says of itself, and behind the
 * last slash a number made of what it can do.
 */
export function adapterKey({ adapter, able }: Pick<Gpu, 'adapter' | 'able'>): string {
  const { vendor, architecture, device, description, isFallback } = adapter;
  const { limits, features } = able;
  const facts: unknown[] = [isFallback, ...[...features].sort()];
  // Limits are getters of the prototype, which only this loop goes through.
  for (const name in limits) facts.push(name, limits[name as keyof GPUSupportedLimits]);
  let hash = 0;
  for (const letter of facts.join()) hash = (Math.imul(hash, 31) + letter.charCodeAt(0)) >>> 0;
  return [vendor, architecture, device, description, hash.toString(36)].join('/');
}

/**
 * Whether a tuning was measured on such an adapter and precision, by these kernels. Of an adapter that says what it is
 * that is enough, whatever a device of it was requested with; of one that does not, limits and features must be the
 * same. Methods that the device lacks are never taken: see `tunedMethods`.
 */
export function suits(tuning: ConvTuning, adapter: string, precision: Precision): boolean {
  const nameIn = (key: string): string => key.slice(0, key.lastIndexOf('/'));
  const name = nameIn(adapter);
  return (
    tuning.version === TUNING_VERSION &&
    (tuning.adapter === adapter || (/[^/]/.test(name) && nameIn(tuning.adapter) === name)) &&
    tuning.precision === precision
  );
}

/**
 * A tuning as it comes out of a cache or from a page; undefined if it is none. Methods are names that are looked up
 * among those the device has, so that nothing in it is trusted further.
 */
export function checkedTuning(value: unknown): ConvTuning | undefined {
  const { version, adapter, precision, layers } = (value ?? {}) as Partial<ConvTuning>;
  const whole =
    typeof version === 'number' &&
    typeof adapter === 'string' &&
    (precision === 'f32' || precision === 'f16') &&
    typeof layers === 'object' &&
    layers !== null &&
    Object.values(layers).every(
      (layer) => typeof layer?.method === 'string' && Array.isArray(layer.measured),
    );
  return whole ? (value as ConvTuning) : undefined;
}

const keyOf = (adapter: string, precision: Precision): string =>
  `score-cam-webgpu tuning ${precision} ${adapter}`;

/** What is kept for an adapter, by {@link adapterKey}; undefined where nothing is, or nothing that can be used. */
export async function keptTuning(
  cache: TuningCache,
  adapter: string,
  precision: Precision,
): Promise<ConvTuning | undefined> {
  try {
    const text = await cache.get(keyOf(adapter, precision));
    return text ? checkedTuning(JSON.parse(text)) : undefined;
  } catch {
    return undefined; // What cannot be read is not kept.
  }
}

/** Keeps a tuning; a cache that fails loses the copy and nothing else. */
export async function keepTuning(
  cache: TuningCache,
  adapter: string,
  tuning: ConvTuning,
): Promise<void> {
  try {
    await cache.put(keyOf(adapter, tuning.precision), JSON.stringify(tuning));
  } catch {
    // The next visit measures again.
  }
}
