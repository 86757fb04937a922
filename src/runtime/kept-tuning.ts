import { adapterKey } from '../gpu/adapter_key';
import type { Gpu } from '../gpu/gpu';
import type { Network } from '../model/network';
import type { Precision } from '../numbers/dtypes';
import { checkedTuning, suits } from '../plan/known-tuning';
import { tunedFor } from '../plan/tuned';
import type { ConvTuning, Tuned } from '../plan/tuning-types';
import type { TuneOptions } from './tuning';
import { browserTuningCache, type TuningCache } from './tuning-cache';

/*
 * Tunings that were measured before: given by a page, or kept between visits. Loaded where there is one, or is to be.
 */

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

export interface TakeOptions extends Omit<TuneOptions, 'known'> {
  /** By the page, whatever it is. */
  readonly given: unknown;
  /** Whether to measure what is not known. */
  readonly tune: boolean;
  /** Default: the browser's; `false` keeps nothing. */
  readonly cache: TuningCache | false | undefined;
}

/** The tuning that was given or kept, if it suits this GPU; completed by measuring, and kept, where that is asked for. */
export async function takeTuning(
  gpu: Gpu,
  network: Network,
  { given, tune, cache: asked, ...options }: TakeOptions,
): Promise<Tuned | undefined> {
  const key = adapterKey(gpu.adapter, gpu.abilities);
  const { precision } = options;
  const checked = checkedTuning(given);
  const suiting = checked && suits(checked, key, precision) ? checked : undefined;
  const { facts = gpu.facts } = options;
  if (!tune) return suiting && tunedFor(suiting, network, facts);
  const cache = asked ?? browserTuningCache();
  const known = suiting ?? (cache ? await keptTuning(cache, key, precision) : undefined);
  const { tuneConvolutions } = await import('./tuning');
  const tuning = await tuneConvolutions(gpu, network, { ...options, known });
  if (cache) await keepTuning(cache, key, tuning);
  return tunedFor(tuning, network, facts);
}
