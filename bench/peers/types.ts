import type { AdapterFacts } from '../../src/index';

/** Who takes part. The first one is what the others are compared with. */
export const CONTENDERS = [
  { name: 'score-cam-webgpu', backend: 'webgpu', package: undefined },
  { name: 'onnxruntime-web', backend: 'wasm', package: 'onnxruntime-web' },
  { name: 'TensorFlow.js', backend: 'wasm', package: '@tensorflow/tfjs-backend-wasm' },
  { name: 'onnxruntime-web', backend: 'webgpu', package: 'onnxruntime-web' },
  { name: 'TensorFlow.js', backend: 'webgpu', package: '@tensorflow/tfjs-backend-webgpu' },
] as const;

export type Contender = (typeof CONTENDERS)[number];

/** One contender's figures, as they stand in bench/results/*.json. */
export interface PeerResult {
  readonly name: Contender['name'];
  readonly version: string;
  readonly backend: 'webgpu' | 'wasm';
  /** The adapter from which it requested its device; null for WASM, and where it got none. */
  readonly adapter: AdapterFacts | null;
  /** Of WASM. */
  readonly threads?: number;
  /** Milliseconds of the first pass, which compiles and uploads; null if it failed. */
  readonly warmUp: number | null;
  /** Milliseconds of each run after it, from the normalised image to the logits in memory; none if it failed. */
  readonly runs: readonly number[];
  /** Largest difference of a logit from ours, as a share of our largest logit; null if it failed. */
  readonly relativeDifference: number | null;
  /** What a reader of the figures should know. */
  readonly note?: string;
  /** Why there are no figures. */
  readonly error?: string;
}

/** What `npm run bench -- --peers` measures. Plain JSON. */
export interface PeerResults {
  /** Such as `Chrome/140.0.7339.80`. */
  readonly browser: string;
  readonly model: string;
  readonly batch: 1;
  readonly dtype: 'f32';
  /** Floating-point operations of one pass (2 a multiply-add, direct convolution). */
  readonly flop: number;
  /** Largest `relativeDifference` with which a contender counts as computing the same. */
  readonly tolerance: number;
  /** In the order in which they ran; the first one is score-cam-webgpu. */
  readonly contenders: readonly PeerResult[];
}

/** A step of our forward pass. */
export interface StepTime {
  /** Of its layer, and of what is fused into it. */
  readonly name: string;
  /** Milliseconds of each run by the GPU's clock. */
  readonly runs: readonly number[];
  /** 2 a multiply-add, direct convolution. */
  readonly flop?: number;
  /** Median milliseconds of its kernels, where there are several. */
  readonly kernels?: readonly { readonly kernel: string; readonly ms: number }[];
}

/** How long Score-CAM by every channel of a network's target layer takes. */
export interface ExplanationTime {
  readonly model: string;
  readonly targetLayer: string;
  /** Forward passes, the unmasked one and the baseline's among them. */
  readonly passes: number;
  /** Milliseconds of the first, which compiles. */
  readonly warmUp: number;
  /** Milliseconds of each after it, from the encoded image to the map. */
  readonly runs: readonly number[];
}

/** What `npm run bench -- --networks` measures. Plain JSON. */
export interface NetworkResults {
  /** Each with what our forward pass does, step by step. */
  readonly networks: readonly (PeerResults & { readonly steps: readonly StepTime[] })[];
  /** By the first of them. */
  readonly explanation: ExplanationTime;
}
