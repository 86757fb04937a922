import type { RunMethod } from '../method';
import { ofMaps } from './of-maps';

/** How many standard deviations above its map's mean a value stands out. */
const DEVIATIONS = 2;

/** FEM (Fuad et al. 2020): alpha_k is the share of the map's values above its mean and two standard deviations. */
export const fem: RunMethod = (forward) =>
  ofMaps(forward, (maps) => {
    const pixels = maps.height * maps.width;
    const weights = Float32Array.from({ length: maps.count }, (_, k) => {
      const map = maps.data.subarray(k * pixels, (k + 1) * pixels);
      const mean = map.reduce((sum, value) => sum + value, 0) / map.length;
      const variance = map.reduce((sum, value) => sum + (value - mean) ** 2, 0) / map.length;
      const limit = mean + DEVIATIONS * Math.sqrt(variance);
      return map.reduce((count, value) => count + Number(value > limit), 0) / map.length;
    });
    return { maps, alpha: weights, weights };
  });
