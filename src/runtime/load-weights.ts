import { ScoreCamError } from '../errors';
import type { Gpu } from '../gpu/gpu';
import { storedBytes } from '../model/encoding';
import type { WeightCache } from '../model/keep/cache';
import type { KeptModelWriter } from '../model/keep/kept-model';
import type { LocatedModel } from '../model/model';
import type { WeightSource } from '../model/weight-source';
import type { WeightDtype } from '../numbers/dtypes';
import type { Plan } from '../plan/compile';
import { NetworkWeights } from './network-weights';

export interface LoadOptions {
  readonly cache?: WeightCache | undefined;
  readonly onBytes?: ((done: number, total: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface LoadedWeights {
  readonly weights: NetworkWeights;
  readonly facts: {
    readonly dtype: WeightDtype;
    readonly bytes: number;
    readonly fromCache: boolean;
    readonly notKept: string | undefined;
  };
}

/**
 * Brings a model's weights onto the GPU: from the cache if they are there whole, else from where the model
 * says, keeping a copy on the way. A kept copy that proves damaged is removed and the model loaded anew.
 * @throws ScoreCamError `weights`
 */
export async function loadWeights(
  gpu: Gpu,
  plan: Plan,
  model: LocatedModel,
  { cache, onBytes, signal }: LoadOptions,
): Promise<LoadedWeights> {
  const { network, dtype } = plan;
  const { identity } = model;
  const { weights: described } = model.manifest;
  const bytes = storedBytes(network, dtype);
  const copy =
    cache && identity !== undefined
      ? new (await import('../model/keep/kept-copy')).KeptCopy(cache, identity, dtype)
      : undefined;
  const kept = await copy?.open();
  if (copy && kept) {
    try {
      const weights = await NetworkWeights.load(gpu, plan, kept, { onBytes, signal });
      await copy.keepManifest(model.address, model.manifest);
      return { weights, facts: { dtype, bytes, fromCache: true, notKept: undefined } };
    } catch (error) {
      if (!(error instanceof ScoreCamError && error.code === 'weights')) throw error;
      await copy.forget();
    }
  }

  let keep: KeptModelWriter | undefined;
  let source: WeightSource | undefined;
  try {
    source = await model.open();
    keep = await copy?.start(bytes);
    const weights = await NetworkWeights.load(gpu, plan, source, {
      channelOrder: described.format === 'seeded' ? undefined : described.channelOrder,
      keep,
      onBytes,
      signal,
    });
    await keep?.finish();
    if (keep?.problem === undefined) await copy?.keepManifest(model.address, model.manifest);
    return { weights, facts: { dtype, bytes, fromCache: false, notKept: keep?.problem } };
  } catch (error) {
    await keep?.abandon();
    throw error;
  } finally {
    await source?.close?.();
  }
}
