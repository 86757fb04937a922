import type { Evidence } from '../../evidence';
import type { Forward } from '../../forward';
import type { RunOptions } from '../method';
import { type Sampler, sampledScoreCam } from './sampled-score-cam';

/** IS-CAM (Naidu et al. 2020): the score is integrated over a mask's strength, in `steps` steps. */
export function isCam(forward: Forward, options: RunOptions): Promise<Evidence> {
  const steps = options.choice.steps as number;
  return sampledScoreCam(forward, options, steps, scaledMasks(steps));
}

/**
 * Mask i of n is i / n times the normalised map: that is the map normalised by a range n / i times as wide,
 * so it takes no kernel of its own.
 */
function scaledMasks(steps: number): Sampler {
  return async ({ maps, limits }, channels, first, count, arena) => {
    const { height, width } = maps;
    const pixels = height * width;
    const rows = count * channels.length;
    const data = new Float32Array(rows * pixels);
    const wider = new Float32Array(2 * rows);
    for (let row = 0; row < rows; row++) {
      const k = channels[row % channels.length] as number;
      const step = first + Math.floor(row / channels.length) + 1;
      const min = limits[2 * k] as number;
      const max = limits[2 * k + 1] as number;
      data.set(maps.data.subarray(k * pixels, (k + 1) * pixels), row * pixels);
      wider.set([min, min + ((max - min) * steps) / step], 2 * row);
    }
    return {
      maps: arena.upload('repeated maps', data),
      height,
      width,
      ranges: arena.upload('wider ranges', wider),
      channels: Uint32Array.from(Array(rows).keys()),
      alignCorners: false,
    };
  };
}
