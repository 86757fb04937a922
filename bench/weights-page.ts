/// Runs in headless Chrome: loads one model in one form, as a visitor's page would, and uses it.
import {
  type AdapterFacts,
  browserCache,
  createExplainer,
  type Explainer,
  type WeightDtype,
} from '../src/index';

export interface Loaded {
  readonly adapter: AdapterFacts;
  readonly seconds: number;
  readonly fromCache: boolean;
  readonly notKept: string | undefined;
  /** Bytes of GPU buffers after loading, and at most while loading. */
  readonly gpuBytes: number;
  readonly gpuPeakBytes: number;
  /** What the browser says this site keeps. */
  readonly cacheBytes: number;
}

export interface Explained {
  readonly probabilities: readonly number[];
  /** The heat map of class `target`; empty if no channel was asked for. */
  readonly map: readonly number[];
  readonly target: number;
  /** Most bytes of GPU buffers so far. */
  readonly gpuPeakBytes: number;
}

declare global {
  interface Window {
    weights: typeof weights;
  }
}

let explainer: Explainer | undefined;

const weights = {
  async load(model: string, dtype: WeightDtype, useCache: boolean): Promise<Loaded> {
    const cache = useCache ? browserCache() : undefined;
    const start = performance.now();
    explainer = await createExplainer({ model, dtype, cache });
    const seconds = (performance.now() - start) / 1000;
    const { fromCache, notKept } = explainer.model.weights;
    const { usage = 0 } = await navigator.storage.estimate();
    const { bytes, peakBytes } = explainer.memory;
    return {
      adapter: explainer.adapter,
      seconds,
      fromCache,
      notKept,
      gpuBytes: bytes,
      gpuPeakBytes: peakBytes,
      cacheBytes: usage,
    };
  },

  /** Classifies an image and explains a class (its likeliest unless given) by the first `channels` maps. */
  async explain(image: string, channels: number, wanted?: number): Promise<Explained> {
    const loaded = explainer as Explainer;
    const { name, layers, targetLayer } = loaded.model;
    const picture = await (await fetch(image)).blob();
    const all = await loaded.classify(picture);
    const probabilities: number[] = Array(all.length).fill(0);
    for (const { index, probability } of all) probabilities[index] = probability;
    const target = wanted ?? (all[0]?.index as number);
    const layer = layers.find((one) => one.name === targetLayer);
    if (!layer) throw new Error(`${name} has no layer ${targetLayer}`);
    const list = Array.from({ length: Math.min(channels, layer.channels) }, (_, k) => k);
    const options = { channels: list, class: target };
    const map = list.length > 0 ? [...(await loaded.explain(picture, options)).map.data] : [];
    return { probabilities, map, target, gpuPeakBytes: loaded.memory.peakBytes };
  },
};

window.weights = weights;
