import type { Dispatch, Slice } from '../gpu/kernel';
import type { MaskedConvArgs, PackedConv } from '../kernels/convolution/conv';
import type { Network } from '../model/network';
import type { GraphPlanner } from '../plan/compile';
import type { GraphStep, Step, WindowConvStep } from '../plan/steps';

/** What networks bring along that are not sequential: their planning and their kernels. Fetched with the first of them. */
export interface GraphKit extends GraphPlanner {
  /** The dispatches of a step. */
  record(step: GraphStep, io: StepTensors): Dispatch[];
  /** Of the first step, with the mask fused in. */
  masked(step: Step, args: MaskedArgs, weights: WindowWeights): Dispatch[];
  /** A convolution's weights as its kernels read them. */
  pack(step: WindowConvStep, weight: Float32Array, bias: Float32Array): PackedConv;
  /** Layers whose outputs the way back to `targets` reads. */
  layersToKeep(network: Network, targets: readonly string[]): string[];
}

/** Where a convolution's weights are. */
export interface WindowWeights {
  conv(step: WindowConvStep): { readonly weights: Slice; readonly bias: Slice };
  /** They bound all sums of convolutions. */
  readonly isBounded: boolean;
}

export interface StepTensors {
  readonly batch: number;
  readonly tensors: ReadonlyMap<string, Slice>;
  readonly output: Slice;
  readonly weights: WindowWeights;
}

export type MaskedArgs = Omit<MaskedConvArgs, 'shape' | 'dtype' | 'places'>;
