import type { DeviceFacts } from '../gpu/facts';
import type { Network } from '../model/network';
import { candidatesFor, methodName } from './candidates';
import { tunableShapes } from './compile';
import { type ConvMethod, chooseConv, listsTiles, sizesKey } from './conv_choice';
import { convDevice } from './device';
import type { ConvTuning, Tuned, TunedLayer } from './tuning-types';

/*
 * What was measured on a device (runtime/tuning.ts), and what follows from it for a network.
 */

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
 */
export function tunedFor(tuning: ConvTuning, network: Network, facts: DeviceFacts): Tuned {
  const device = convDevice(facts, tuning.precision);
  const methods = new Map<string, ConvMethod>();
  let lists = true;
  for (const shape of tunableShapes(network)) {
    const key = sizesKey(shape);
    // Behind a leaky ReLU there are no zeros to skip.
    const skips =
      lists && shape.activation === 0 && SKIPPING_REACHES * shape.height >= network.input.height;
    const found = bestOf(tuning.layers[key], candidatesFor(shape, device), skips);
    if (found) methods.set(key, found);
    lists &&= listsTiles(found ?? chooseConv(shape, device));
  }
  return { tuning, methods };
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
