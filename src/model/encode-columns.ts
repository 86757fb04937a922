import type { WeightDtype } from '../numbers/dtypes';
import { encodeF16 } from '../numbers/f16';
import { quantiseRows } from '../numbers/int8';
import type { EncodedRows } from './encoding';

/* Fully connected weights in a dtype, where a file has them input by input. */

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
