import type { Gpu } from '../gpu/gpu';
import type { Network } from '../model/network';
import type { ConvTuning } from '../plan/tuned';
import { adapterKey, checkedTuning, keepTuning, keptTuning, suits } from './known-tuning';
import { type TuneOptions, tuneConvolutions } from './tuning';
import { browserTuningCache, type TuningCache } from './tuning-cache';

export interface TuningOptions extends Omit<TuneOptions, 'known'> {
  /** From an earlier visit, or anywhere: taken if it is of this kind of GPU. */
  readonly given: unknown;
  /** Measure what is neither given nor kept, and keep it. */
  readonly tune: boolean;
  /** Default: the browser's; false keeps nothing. */
  readonly cache: TuningCache | false | undefined;
}

/** What is known of how a GPU is best used, or measured now. */
export async function tuningFor(
  gpu: Gpu,
  network: Network,
  { given, tune, cache = browserTuningCache(), ...options }: TuningOptions,
): Promise<ConvTuning | undefined> {
  const { precision } = options;
  const adapter = adapterKey(gpu);
  const checked = checkedTuning(given);
  let known = checked && suits(checked, adapter, precision) ? checked : undefined;
  if (!tune) return known;
  if (cache) known ??= await keptTuning(cache, adapter, precision);
  const tuning = await tuneConvolutions(gpu, network, { ...options, known });
  if (cache) await keepTuning(cache, adapter, tuning);
  return tuning;
}
