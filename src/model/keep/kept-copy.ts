import type { WeightDtype } from '../../numbers/dtypes';
import type { Manifest } from '../manifest';
import type { WeightSource } from '../weight-source';
import type { WeightCache } from './cache';
import { keepManifest } from './kept-manifest';
import { cacheKey, forget, KeptModelWriter, openKept } from './kept-model';

/** The copy of one model's weights in one dtype that a cache has or is to have. */
export class KeptCopy {
  private readonly cache: WeightCache;
  private readonly key: string;

  constructor(cache: WeightCache, identity: string, dtype: WeightDtype) {
    this.cache = cache;
    this.key = cacheKey(identity, dtype);
  }

  /** The weights, if they are there whole. */
  open(): Promise<WeightSource | undefined> {
    return openKept(this.cache, this.key);
  }

  /** Removes what proved damaged; a cache that fails keeps it. */
  async forget(): Promise<void> {
    await forget(this.cache, this.key).catch(() => {});
  }

  /** @param bytes of the whole copy */
  start(bytes: number): Promise<KeptModelWriter> {
    return KeptModelWriter.start(this.cache, this.key, bytes);
  }

  /** Keeps the manifest too, where it has an address. */
  async keepManifest(address: string | undefined, manifest: Manifest): Promise<void> {
    if (address !== undefined) await keepManifest(this.cache, address, manifest);
  }
}
