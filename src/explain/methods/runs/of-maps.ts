import type { Evidence, LayerEvidence } from '../../evidence';
import { unmasked } from '../../evidence';
import type { Forward } from '../../forward';
import type { ActivationMaps } from '../../saliency';

/** Evidence that the maps alone give: the same for every class. */
export async function ofMaps(
  { targets }: Forward,
  weigh: (maps: ActivationMaps, layer: string) => Pick<LayerEvidence, 'maps' | 'alpha' | 'weights'>,
): Promise<Evidence> {
  const layers = targets.map((target) => ({
    ...unmasked(target),
    ...weigh(target.maps, target.name),
  }));
  return {
    rule: { relu: 'before', alignCorners: false },
    passes: { forward: 0, backward: 0, head: 0 },
    ofClass: async () => layers,
  };
}
