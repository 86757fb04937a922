import { release } from './release';

/** Element types of tensors in files, by safetensors' names. */
export type TensorDtype = 'F32' | 'F16' | 'BF16' | 'I8' | 'U8' | 'U16' | 'F64' | 'I64';

/** Bytes of one element. */
export const DTYPE_BYTES: Readonly<Record<TensorDtype, number>> = {
  F32: 4,
  F16: 2,
  BF16: 2,
  I8: 1,
  U8: 1,
  U16: 2,
  F64: 8,
  I64: 8,
};

/**
 * A file's little-endian elements as f32. `bytes` is used up: an F32 result may share its memory, which
 * is given back otherwise.
 */
export function toF32(
  bytes: Uint8Array<ArrayBuffer>,
  dtype: TensorDtype,
): Float32Array<ArrayBuffer> {
  const values = convert(bytes, dtype);
  if (values.buffer !== bytes.buffer && isWhole(bytes)) release(bytes);
  return values;
}

/** Whether an array is all of its buffer, not a view of something larger. */
function isWhole({ byteLength, buffer }: Uint8Array): boolean {
  return byteLength === buffer.byteLength;
}

function convert(bytes: Uint8Array<ArrayBuffer>, dtype: TensorDtype): Float32Array<ArrayBuffer> {
  // A view of wider elements needs an aligned start, which a part of a larger buffer need not have.
  const { buffer } = isWhole(bytes) ? bytes : bytes.slice();
  switch (dtype) {
    case 'F32':
      return new Float32Array(buffer);
    case 'F16':
      return halvesToF32(new Uint16Array(buffer));
    case 'BF16': {
      const upper = new Uint32Array(new Uint16Array(buffer));
      for (let i = 0; i < upper.length; i++) upper[i] = (upper[i] as number) << 16;
      return new Float32Array(upper.buffer);
    }
    case 'I8':
      return new Float32Array(new Int8Array(buffer));
    case 'U8':
      return new Float32Array(new Uint8Array(buffer));
    case 'U16':
      return new Float32Array(new Uint16Array(buffer));
    case 'F64':
      return new Float32Array(new Float64Array(buffer));
    case 'I64':
      return Float32Array.from(new BigInt64Array(buffer), Number);
  }
}

let table: Float32Array | undefined;

function halvesToF32(halves: Uint16Array): Float32Array<ArrayBuffer> {
  // 65536 values once are cheaper than a conversion each: VGG-16 has 138 million.
  table ??= Float32Array.from({ length: 65536 }, (_, half) => halfToFloat(half));
  const values = new Float32Array(halves.length);
  for (let i = 0; i < halves.length; i++) values[i] = table[halves[i] as number] as number;
  return values;
}

function halfToFloat(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 31;
  const fraction = half & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
