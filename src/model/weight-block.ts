import type { WeightDtype } from '../numbers/dtypes';
import type { ConvLayer, LinearLayer, Shape, WindowConvLayer } from './network';

/**
 * A network's weights on their way from a file to where they are kept: pieces small enough to hold, in
 * the order of the file, their names, layouts and batch normalisation already dealt with. A block's arrays
 * are the reader's until it asks for the next block; then their memory is given back.
 */
export type WeightBlock =
  | {
      readonly kind: 'conv';
      readonly layer: ConvLayer | WindowConvLayer;
      /** [outChannels, inChannels / groups, height, width], input channels red, green, blue. */
      readonly weight: Float32Array<ArrayBuffer>;
      readonly bias: Float32Array<ArrayBuffer>;
    }
  | {
      /** Whole rows first ... first + count of a fully connected layer. */
      readonly kind: 'rows';
      readonly layer: LinearLayer;
      readonly first: number;
      readonly count: number;
      /** [count, inFeatures], inputs flattened in CHW order */
      readonly values: Float32Array<ArrayBuffer>;
      /** [count]: of weights that the file holds as int8. */
      readonly scales: Float32Array | undefined;
    }
  | {
      /** The transposed kind: weights of inputs first ... first + count, counted in HWC order. */
      readonly kind: 'columns';
      readonly layer: LinearLayer;
      /** The layer's input before it was flattened. */
      readonly unflattened: Shape;
      readonly first: number;
      readonly count: number;
      /** [count, outFeatures] */
      readonly values: Float32Array<ArrayBuffer>;
      /** [outFeatures]: largest magnitude of each output's weights, where the form asked for needs it. */
      readonly largest: Float32Array | undefined;
    }
  | {
      readonly kind: 'bias';
      readonly layer: LinearLayer;
      readonly values: Float32Array<ArrayBuffer>;
    };

export interface BlockOptions {
  readonly dtype: WeightDtype;
  readonly channelOrder?: 'rgb' | 'bgr' | undefined;
}

/** Elements of a fully connected layer that are in JavaScript memory at once: 8 MiB of f32. */
export const CHUNK = 2 * 1024 * 1024;
