import { rowStride } from '../../src/kernels/linear/linear';
import type { WeightDtype } from '../../src/numbers/dtypes';
import { encodeF16 } from '../../src/numbers/f16';
import { quantiseRows } from '../../src/numbers/int8';

/** The value of an IEEE 754 binary16, from its definition. */
export function halfValue(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 31;
  const fraction = (half & 1023) / 1024;
  if (exponent === 31) return fraction > 0 ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return exponent === 0 ? sign * fraction * 2 ** -14 : sign * (1 + fraction) * 2 ** (exponent - 15);
}

/** Weights as a kernel gets them, and the numbers they stand for, which a reference computes with. */
export interface EncodedWeights {
  /** The elements' bits: u32 of f32, u16 of f16, u8 of int8. */
  readonly data: Uint32Array<ArrayBuffer> | Uint16Array<ArrayBuffer> | Uint8Array<ArrayBuffer>;
  /** Without scales. */
  readonly values: Float64Array;
  /** [rows], 1 unless the weights are int8. */
  readonly scales: Float32Array;
}

export function encodeWeights(
  values: Float32Array,
  rows: number,
  dtype: WeightDtype,
): EncodedWeights {
  const scales = new Float32Array(rows).fill(1);
  switch (dtype) {
    case 'f32':
      return {
        data: new Uint32Array(values.slice().buffer),
        values: Float64Array.from(values),
        scales,
      };
    case 'f16': {
      const data = encodeF16(values);
      return { data, values: Float64Array.from(data, halfValue), scales };
    }
    case 'int8': {
      const { integers, scales: own } = quantiseRows(values, rows, values.length / rows);
      const data = new Uint8Array(integers.buffer);
      return { data, values: Float64Array.from(integers), scales: own };
    }
  }
}

/** Rows `first` to `first + count` of a matrix, each padded with zeros to `rowStride`. */
export function paddedRows<Data extends EncodedWeights['data']>(
  data: Data,
  inFeatures: number,
  first: number,
  count: number,
): Data {
  const stride = rowStride(inFeatures);
  const padded = data.slice(0, 0).constructor as new (length: number) => Data;
  const rows = new padded(count * stride);
  for (let row = 0; row < count; row++) {
    const start = (first + row) * inFeatures;
    rows.set(data.subarray(start, start + inFeatures), row * stride);
  }
  return rows;
}
