import type { Gpu } from '../gpu/gpu';
import type { Plan } from '../plan/compile';
import type { NetworkWeights } from './network-weights';

/** What a network runs on: a device, how it is computed there, and its weights in the device's memory. */
export interface Engine {
  readonly gpu: Gpu;
  readonly plan: Plan;
  readonly weights: NetworkWeights;
}
