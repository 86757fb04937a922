import type { WeightDtype } from '../numbers/dtypes';
import { encodeF16 } from '../numbers/f16';
import type { TensorDtype } from '../numbers/tensor_dtypes';
import { DTYPE_BYTES } from '../numbers/tensor_dtypes';
import { isWeighted, type Network, weightShape } from './network';
import { elementCount } from './weight-source';

/**
 * The three dtypes a network's weights are kept in, on a disk, in a cache and on the GPU:
 * `f32`; `f16`: all weights; `int8`: fully connected layers in int8 with one scale a row, convolutions in
 * f16. Biases and scales are f32 always.
 */
export interface StoredTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: TensorDtype;
}

export const CONV_DTYPE = { f32: 'F32', f16: 'F16', int8: 'F16' } as const;
export const LINEAR_DTYPE = { f32: 'F32', f16: 'F16', int8: 'I8' } as const;

/** Name of the tensor [outFeatures] with an int8 weight's scales. */
export function scaleName(weight: string): string {
  return `${weight}.scale`;
}

/** All tensors of a network in one dtype, named as its manifest names them. */
export function storedTensors(network: Network, dtype: WeightDtype): StoredTensor[] {
  return network.layers.filter(isWeighted).flatMap((layer): StoredTensor[] => {
    const shape = weightShape(layer);
    const outputs = shape.slice(0, 1);
    const isLinear = layer.type === 'linear';
    const dtypes = isLinear ? LINEAR_DTYPE : CONV_DTYPE;
    const weight = { name: layer.weight, shape, dtype: dtypes[dtype] };
    const bias = { name: layer.bias, shape: outputs, dtype: 'F32' } as const;
    const scale = { name: scaleName(layer.weight), shape: outputs, dtype: 'F32' } as const;
    return isLinear && dtype === 'int8' ? [scale, weight, bias] : [weight, bias];
  });
}

/** Bytes of all tensors in one form. */
export function storedBytes(network: Network, dtype: WeightDtype): number {
  return storedTensors(network, dtype).reduce(
    (sum, { shape, dtype }) => sum + elementCount(shape) * DTYPE_BYTES[dtype],
    0,
  );
}

export interface EncodedRows {
  /** [rows, inFeatures] in the dtype's element type */
  readonly data: Float32Array<ArrayBuffer> | Uint16Array<ArrayBuffer> | Int8Array<ArrayBuffer>;
  /** [rows], only of int8: weight = scale x integer. */
  readonly scales: Float32Array<ArrayBuffer> | undefined;
}

/** Rows of a fully connected layer in a dtype; `scales` are those the file has, if it is quantised. */
export async function encodeRows(
  values: Float32Array<ArrayBuffer>,
  rows: number,
  dtype: WeightDtype,
  scales?: Float32Array,
): Promise<EncodedRows> {
  if (dtype === 'f32') return { data: values, scales: undefined };
  if (dtype === 'f16') return { data: encodeF16(values), scales: undefined };
  const { quantiseRows } = await import('../numbers/int8');
  const quantised = quantiseRows(values, rows, values.length / rows, scales);
  return { data: quantised.integers, scales: quantised.scales };
}
