import type { ConvShape } from '../kernels/convolution/conv_kernel';
import type { Network } from '../model/network';
import type { Precision } from '../numbers/dtypes';
import {
  type ConvDevice,
  type ConvMethod,
  candidatesFor,
  chooseConv,
  listsTiles,
  methodName,
  sizesKey,
} from './conv_choice';

/*
 * What was measured on a device (runtime/tuning.ts), and what follows from it for a network.
 */

/** What was found on one device. Plain data, to be kept as JSON and passed back in. */
export interface ConvTuning {
  readonly version: number;
  /** The adapter it was measured on: `adapterKey` of runtime/known-tuning.ts. */
  readonly adapter: string;
  readonly precision: Precision;
  /** By the layer's sizes, such as `64>128 112x112 k3`. */
  readonly layers: Readonly<Record<string, TunedLayer>>;
}

export interface TunedLayer {
  /** Name of the fastest method. */
  readonly method: string;
  /** Milliseconds a batch of every method tried, or why it was refused. */
  readonly measured: readonly {
    readonly method: string;
    readonly ms?: number;
    readonly refused?: string;
  }[];
}

/**
 * What exact skipping is taken to leave of the work of layers down to a quarter of the image's resolution: 36 to 88 %
 * in the models measured (docs/skipping.md). Behind that, masks reach nearly everything.
 */
const SKIPPING_LEAVES = 0.8;
const SKIPPING_REACHES = 4;

/**
 * The methods that a tuning found the fastest, by {@link sizesKey}, for those of the shapes that it still fits. Exact
 * skipping ends at the first layer that does not list tiles. So as long as it goes on, such a method is taken only if
 * it is faster than skipping makes one that does.
 * @param shapes the network's convolutions behind the first, in order
 */
export function tunedMethods(
  tuning: ConvTuning,
  shapes: readonly ConvShape[],
  image: Pick<Network['input'], 'height'>,
  device: ConvDevice,
): Map<string, ConvMethod> {
  const methods = new Map<string, ConvMethod>();
  let lists = true;
  for (const shape of shapes) {
    const key = sizesKey(shape);
    // Behind a leaky ReLU there are no zeros to skip.
    const skips = lists && shape.slope === 0 && SKIPPING_REACHES * shape.height >= image.height;
    const found = bestOf(tuning.layers[key], candidatesFor(shape, device), skips);
    if (found) methods.set(key, found);
    lists &&= listsTiles(found ?? chooseConv(shape, device));
  }
  return methods;
}

function bestOf(
  layer: TunedLayer | undefined,
  candidates: readonly ConvMethod[],
  skips: boolean,
): ConvMethod | undefined {
  const fastest = candidates.find((method) => methodName(method) === layer?.method);
  if (!layer || !fastest || !skips || listsTiles(fastest)) return fastest;
  const timeOf = (method: ConvMethod): number =>
    layer.measured.find((own) => own.method === methodName(method))?.ms ?? Infinity;
  const [listing] = candidates.filter(listsTiles).sort((a, b) => timeOf(a) - timeOf(b));
  return listing && SKIPPING_LEAVES * timeOf(listing) < timeOf(fastest) ? listing : fastest;
}
