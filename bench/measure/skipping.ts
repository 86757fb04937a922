import type { Forward } from '../../src/explain/forward';
import type { Slice } from '../../src/kernels/kernel';
import { layerFlops, type Network } from '../../src/model/network';
import { planSteps, splitHead } from '../../src/runtime/plan';
import { activeShare, maskRegion, reachedTiles } from '../../src/runtime/skipping';
import type { LayerShare } from './types';

/** The share of each convolution's work that the masks of one image reach, and of all of it. */
export async function reachedShares(
  { runner, targets: [target] }: Forward,
  network: Network,
): Promise<{ readonly reached: number; readonly layers: readonly LayerShare[] }> {
  if (!target) throw new Error('A forward pass without target.');
  const { maps, ranges, constantChannels } = target;
  const { buffer, offset = 0 } = ranges as Slice;
  const limits = await runner.gpu.read(buffer, 2 * maps.count, offset / 4);
  const size = maps.height * maps.width;
  const { features } = splitHead(planSteps(network));
  const reached = Array.from({ length: maps.count }, (_, k) => k)
    .filter((k) => !constantChannels.includes(k))
    .map((k) => {
      const map = {
        data: maps.data.subarray(k * size, (k + 1) * size),
        height: maps.height,
        width: maps.width,
        min: limits[2 * k] as number,
        alignCorners: false,
      };
      return reachedTiles(maskRegion(map, network.input.height, network.input.width), features);
    });
  const work = features.map(({ layer }) => layerFlops(layer));
  const layers = features.flatMap(({ kind, layer }, i): LayerShare[] => {
    if (kind !== 'conv') return [];
    const own = reached.map((steps) => [steps[i]]);
    return [{ layer: layer.name, reached: activeShare(own, [work[i] as number]) }];
  });
  return { reached: activeShare(reached, work), layers };
}
