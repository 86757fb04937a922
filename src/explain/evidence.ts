import type { FinishedScores } from '../runtime/finished';
import type { Target } from './forward';
import type { Weighting } from './methods/options';
import type { ActivationMaps, MapRule } from './saliency';
import type { LayerResult, Passes } from './types';

/** What a method makes of one target layer for one class. */
export interface LayerEvidence extends Omit<LayerResult, 'map'> {
  /** The maps that are summed: the activation maps, or what the method made of each. */
  readonly maps: ActivationMaps;
  /** [maps.count] factors of the sum. */
  readonly alpha: Float32Array;
}

/** What a method's passes over one image yield, good for every class. */
export interface Evidence {
  readonly rule: MapRule;
  /** Passes run for all classes at once, the unmasked image's forward pass not counted. */
  readonly passes: Passes;
  /** Passes `ofClass` runs for each class it is asked for; none if absent. */
  readonly passesOfClass?: Passes;
  /** Whether several layers' maps are multiplied. Default: their mean. */
  readonly isProduct?: boolean;
  /** Of score-cam: the same masked scores under another weighting. */
  readonly reweighed?: (weighting: Weighting) => Promise<Evidence>;
  /** @param finished what of its own passes is through, where it begins again */
  readonly ofClass: (
    classIndex: number,
    finished: FinishedScores,
  ) => Promise<readonly LayerEvidence[]>;
}

/** What methods without masked passes report of a layer besides its weights. */
export function unmasked({
  name,
  maps,
  constantChannels,
}: Pick<Target, 'name' | 'maps' | 'constantChannels'>): Omit<
  LayerEvidence,
  'maps' | 'alpha' | 'weights'
> {
  return {
    layer: name,
    channels: { total: maps.count, constant: constantChannels.length, evaluated: 0 },
    constantChannels,
    scores: new Float32Array(0),
  };
}
