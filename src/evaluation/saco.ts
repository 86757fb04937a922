import { ranksOf } from './metrics';

/* SaCo, the Salience-guided Faithfulness Coefficient (Wu et al. 2024, "On the Faithfulness of Vision Transformer Explanations"). */

/** As many groups of pixels as in the paper. */
export const GROUPS = 10;

/** Each pixel's group, 0 the most salient: as many pixels in each, equal ones in reading order. */
export function salienceGroups(map: ArrayLike<number>, groups: number): Uint32Array {
  return ranksOf(map).map((rank) => Math.floor((rank * groups) / map.length));
}

/** The sum of the map over each group. */
export function salienceOf(
  map: ArrayLike<number>,
  groupOf: ArrayLike<number>,
  groups: number,
): number[] {
  const sums = new Array<number>(groups).fill(0);
  for (let i = 0; i < map.length; i++) {
    const group = groupOf[i] as number;
    sums[group] = (sums[group] as number) + (map[i] as number);
  }
  return sums;
}

/**
 * The image [channels, pixels] with the pixels of one group set to the image's own mean colour (the paper's
 * "per-sample mean").
 */
export function withoutGroup(
  image: Float32Array,
  groupOf: ArrayLike<number>,
  group: number,
): Float32Array<ArrayBuffer> {
  const pixels = groupOf.length;
  const out = Float32Array.from(image);
  for (let start = 0; start < image.length; start += pixels) {
    const plane = image.subarray(start, start + pixels);
    const mean = plane.reduce((sum, value) => sum + value, 0) / pixels;
    for (let i = 0; i < pixels; i++) if (groupOf[i] === group) out[start + i] = mean;
  }
  return out;
}

/**
 * Over all pairs of groups, the salience by which the first exceeds the second, counted for the map where the first's removal
 * costs at least as much, else against it; as a share of all of it, from -1 to 1. Undefined where all groups weigh the same.
 * @param salience Of each group, falling. @param falls By how much the probability falls without each.
 */
export function sacoOf(salience: readonly number[], falls: readonly number[]): number | undefined {
  let agreed = 0;
  let all = 0;
  for (let i = 0; i < salience.length; i++) {
    for (let j = i + 1; j < salience.length; j++) {
      const weight = (salience[i] as number) - (salience[j] as number);
      agreed += (falls[i] as number) >= (falls[j] as number) ? weight : -weight;
      all += Math.abs(weight);
    }
  }
  return all > 0 ? agreed / all : undefined;
}
