import type { Slice } from '../gpu/kernel';
import type { LinearLayer } from '../model/network';
import type { LinearStep } from '../plan/steps';

export interface LinearShard {
  readonly firstOutput: number;
  readonly outputs: number;
  /** [outputs, rowStride(inFeatures)] */
  readonly weights: Slice;
}

/** A fully connected layer while its parts arrive. */
export interface Arriving {
  readonly step: LinearStep;
  readonly layer: LinearLayer;
  readonly shards: LinearShard[];
  /** (scale, bias) of each output */
  readonly affine: Float32Array<ArrayBuffer>;
  /** Elements of the weight on the GPU so far. */
  done: number;
  hasBias: boolean;
}

type Elements = Float32Array<ArrayBuffer> | Uint16Array<ArrayBuffer> | Int8Array<ArrayBuffer>;

/** An array's memory as bytes. */
export function bytesOf(data: Elements): Uint8Array<ArrayBuffer> {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
