import type { WeightDtype } from '../numbers/dtypes';
import { encodeF16 } from '../numbers/f16';
import { quantiseRows } from '../numbers/int8';
import type { TensorDtype } from '../numbers/tensor_dtypes';
import { DTYPE_BYTES } from '../numbers/tensor_dtypes';
import type { WeightBlock } from './blocks';
import type { TensorPart } from './keep/kept-model';
import { type Network, sizeOf } from './network';
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

const CONV_DTYPE = { f32: 'F32', f16: 'F16', int8: 'F16' } as const;
const LINEAR_DTYPE = { f32: 'F32', f16: 'F16', int8: 'I8' } as const;

/** Name of the tensor [outFeatures] with an int8 weight's scales. */
export function scaleName(weight: string): string {
  return `${weight}.scale`;
}

/** All tensors of a network in one dtype, named as its manifest names them. */
export function storedTensors(network: Network, dtype: WeightDtype): StoredTensor[] {
  return network.layers.flatMap((layer): StoredTensor[] => {
    if (layer.type !== 'conv' && layer.type !== 'linear') return [];
    const outputs = [layer.output.channels];
    const bias = { name: layer.bias, shape: outputs, dtype: 'F32' } as const;
    if (layer.type === 'conv') {
      const shape = [...outputs, layer.input.channels, layer.kernel, layer.kernel];
      return [{ name: layer.weight, shape, dtype: CONV_DTYPE[dtype] }, bias];
    }
    const shape = [...outputs, sizeOf(layer.input)];
    const weight = { name: layer.weight, shape, dtype: LINEAR_DTYPE[dtype] };
    const scale = { name: scaleName(layer.weight), shape: outputs, dtype: 'F32' } as const;
    return dtype === 'int8' ? [scale, weight, bias] : [weight, bias];
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

/** Rows of a fully connected layer in a form; `scales` are those the file has, if it is quantised. */
export function encodeRows(
  values: Float32Array<ArrayBuffer>,
  rows: number,
  dtype: WeightDtype,
  scales?: Float32Array,
): EncodedRows {
  if (dtype === 'f32') return { data: values, scales: undefined };
  if (dtype === 'f16') return { data: encodeF16(values), scales: undefined };
  const quantised = quantiseRows(values, rows, values.length / rows, scales);
  return { data: quantised.integers, scales: quantised.scales };
}

/** A block as parts to keep. Columns come in no order that could be kept: they have none. */
export function partsOf(
  block: Exclude<WeightBlock, { kind: 'columns' }>,
  dtype: WeightDtype,
  encoded?: EncodedRows,
): TensorPart[] {
  const { layer } = block;
  const outputs = layer.output.channels;
  const part = (
    tensor: string,
    shape: readonly number[],
    dtype: TensorDtype,
    start: number,
    data: EncodedRows['data'],
  ): TensorPart => ({
    tensor,
    shape,
    dtype,
    start,
    bytes: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
  });
  if (block.kind === 'bias') return [part(layer.bias, [outputs], 'F32', 0, block.values)];
  if (block.kind === 'conv') {
    const { weight, bias } = block;
    const shape = [outputs, layer.input.channels, block.layer.kernel, block.layer.kernel];
    const data = dtype === 'f32' ? weight : encodeF16(weight);
    return [
      part(layer.weight, shape, CONV_DTYPE[dtype], 0, data),
      part(layer.bias, [outputs], 'F32', 0, bias),
    ];
  }
  const inFeatures = sizeOf(layer.input);
  const { data, scales } = encoded ?? encodeRows(block.values, block.count, dtype, block.scales);
  const shape = [outputs, inFeatures];
  const start = block.first * inFeatures;
  return [
    ...(scales ? [part(scaleName(layer.weight), [outputs], 'F32', block.first, scales)] : []),
    part(layer.weight, shape, LINEAR_DTYPE[dtype], start, data),
  ];
}

/** Scales of int8 weights that arrive input by input, from the largest magnitude of each output. */
export function columnScales(largest: Float32Array): Float32Array<ArrayBuffer> {
  return quantiseRows(largest, largest.length, 1).scales;
}

/**
 * Weights [inputs, outputs] in a dtype, in the same order.
 * @param scales [outputs], of int8 alone: from {@link columnScales}
 */
export function encodeColumns(
  values: Float32Array<ArrayBuffer>,
  outputs: number,
  dtype: WeightDtype,
  scales: Float32Array | undefined,
): EncodedRows['data'] {
  if (dtype === 'f32') return values;
  if (dtype === 'f16') return encodeF16(values);
  const inputs = values.length / outputs;
  const rows = new Float32Array(values.length);
  for (let i = 0; i < values.length; i++) {
    rows[(i % outputs) * inputs + Math.floor(i / outputs)] = values[i] as number;
  }
  const { integers } = quantiseRows(rows, outputs, inputs, scales);
  const columns = new Int8Array(values.length);
  for (let i = 0; i < columns.length; i++) {
    columns[i] = integers[(i % outputs) * inputs + Math.floor(i / outputs)] as number;
  }
  return columns;
}
