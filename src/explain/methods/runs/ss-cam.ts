import { mapRanges } from '../../../kernels/maps/map_ranges';
import type { Runner } from '../../../runtime/runner';
import type { Evidence } from '../../evidence';
import type { Forward } from '../../forward';
import { gaussian } from '../../random';
import type { Choice, RunOptions } from '../method';
import { type Sampler, sampledScoreCam } from './sampled-score-cam';

/** SS-CAM (Wang et al. 2020): the masks of a map are drawn, `samples` of them. */
export function ssCam(forward: Forward, options: RunOptions): Promise<Evidence> {
  const { choice } = options;
  const sample = noisyMasks(forward.runner, choice);
  return sampledScoreCam(forward, options, choice.samples as number, sample);
}

/** Every map with noise of its own, sigma times as wide as the map's range, anew for each sample. */
function noisyMasks({ gpu, network }: Runner, { sigma, seed }: Choice): Sampler {
  const next = gaussian(seed as number);
  return async ({ maps, limits }, channels, _, count, arena) => {
    const { height, width } = maps;
    const pixels = height * width;
    const rows = count * channels.length;
    const data = new Float32Array(rows * pixels);
    for (let row = 0; row < rows; row++) {
      const k = channels[row % channels.length] as number;
      const range = (limits[2 * k + 1] as number) - (limits[2 * k] as number);
      for (let i = 0; i < pixels; i++) {
        const value = maps.data[k * pixels + i] as number;
        data[row * pixels + i] = value + (sigma as number) * range * next();
      }
    }
    const noisy = arena.upload('noisy maps', data);
    const own = arena.take('ranges of noisy maps', 8 * rows);
    await gpu.submit('ranges of noisy maps', [
      mapRanges({
        label: 'noisy maps',
        maps: noisy,
        count: rows,
        mapHeight: height,
        mapWidth: width,
        height: network.input.height,
        width: network.input.width,
        alignCorners: false,
        ranges: own,
      }),
    ]);
    return {
      maps: noisy,
      height,
      width,
      ranges: own,
      channels: Uint32Array.from(Array(rows).keys()),
      alignCorners: false,
    };
  };
}
