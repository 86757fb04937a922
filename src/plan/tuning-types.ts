import type { Precision } from '../numbers/dtypes';
import type { ConvMethod } from './conv_choice';

/** What was found on one device. Plain data, to be kept as JSON and passed back in. */
export interface ConvTuning {
  readonly version: number;
  /** The adapter it was measured on: `adapterKey` of src/gpu/facts.ts. */
  readonly adapter: string;
  readonly precision: Precision;
  /** By the layer's sizes, such as `64>128 112x112 k3`. */
  readonly layers: Readonly<Record<string, TunedLayer>>;
}

export interface TunedLayer {
  /** Name of the fastest method. */
  readonly method: string;
  /** Milliseconds a batch of every method tried, or why it was refused. */
  readonly measured: readonly {
    readonly method: string;
    readonly ms?: number;
    readonly refused?: string;
  }[];
}

/** A tuning, and what follows from it for one network on one device. */
export interface Tuned {
  readonly tuning: ConvTuning;
  /** The fastest methods, by the layer's sizes as {@link ConvTuning} has them. */
  readonly methods: ReadonlyMap<string, ConvMethod>;
}
