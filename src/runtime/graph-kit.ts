import type { Dispatch, Slice } from '../gpu/kernel';
import type { MaskedConvArgs, PackedConv } from '../kernels/convolution/conv';
import type { Network } from '../model/network';
import type { GraphPlanner } from '../plan/compile';
import { type GraphStep, isSequential, type Step, type WindowConvStep } from '../plan/steps';
import type { NetworkWeights } from './network-weights';
import type { Tensors } from './recorder';

/** What networks bring along that are not sequential: their planning and their kernels. Fetched with the first of them. */
export interface GraphKit extends GraphPlanner {
  /** The dispatches of a step. */
  record(step: GraphStep, io: StepTensors): Dispatch[];
  /** Of the first step, with the mask fused in. */
  masked(step: Step, args: MaskedArgs, weights: NetworkWeights): Dispatch[];
  /** A convolution's weights as its kernels read them. */
  pack(step: WindowConvStep, weight: Float32Array, bias: Float32Array): PackedConv;
  /** Layers whose outputs the way back to `targets` reads. */
  layersToKeep(network: Network, targets: readonly string[]): string[];
}

export interface StepTensors {
  readonly batch: number;
  readonly tensors: Tensors;
  readonly output: Slice;
  readonly weights: NetworkWeights;
}

export type MaskedArgs = Omit<MaskedConvArgs, 'shape' | 'dtype' | 'places'>;

/** What a network needs besides what every network does; undefined for sequential ones. */
export async function graphKit(network: Network): Promise<GraphKit | undefined> {
  return isSequential(network) ? undefined : (await import('./graph/kit')).kit;
}
