import type { Target } from '../../forward';
import type { ActivationMaps } from '../../saliency';
import type { Choice } from '../method';

/** The channels to evaluate: those asked for whose mask is not constant, or of these the `top` ones. */
export function channelsOf(target: Target, { channels, top }: Choice): Uint32Array<ArrayBuffer> {
  const constant = new Set(target.constantChannels);
  const all = channels ?? Array.from({ length: target.maps.count }, (_, k) => k);
  const telling = all.filter((k) => !constant.has(k));
  if (top === undefined || top >= telling.length) return Uint32Array.from(telling);
  return rankedChannels(target.maps, telling).slice(0, top).sort();
}

/** Channels by the standard deviation of their maps, the largest first: the most telling ones. */
export function rankedChannels(
  maps: ActivationMaps,
  channels: Iterable<number>,
): Uint32Array<ArrayBuffer> {
  const deviations = standardDeviations(maps);
  const deviation = (k: number): number => deviations[k] as number;
  // Equal ones in the order of their numbers, so that the choice is the same everywhere.
  return Uint32Array.from([...channels].sort((a, b) => deviation(b) - deviation(a) || a - b));
}

/** [count] standard deviation over the pixels of each map. */
export function standardDeviations({ data, count, height, width }: ActivationMaps): Float64Array {
  const pixels = height * width;
  return Float64Array.from({ length: count }, (_, k) => {
    const map = data.subarray(k * pixels, (k + 1) * pixels);
    const mean = map.reduce((sum, value) => sum + value, 0) / pixels;
    return Math.sqrt(map.reduce((sum, value) => sum + (value - mean) ** 2, 0) / pixels);
  });
}
