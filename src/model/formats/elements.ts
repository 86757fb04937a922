import { ScoreCamError } from '../../errors';
import type { TensorDtype } from '../../numbers/tensor_dtypes';
import { DTYPE_BYTES, toF32 } from '../../numbers/tensor_dtypes';
import type { ByteSource } from '../bytes/byte-source';
import { elementCount, type TensorFacts } from '../weight-source';

/** A tensor whose bytes lie in one piece, in C order, little-endian. */
export interface StoredTensor extends TensorFacts {
  /** Byte offset in the file. */
  readonly begin: number;
}

/** Bytes of one element, undefined for an element type that cannot be read (integers, 8-bit floats). */
export function readableBytes(dtype: string): number | undefined {
  return Object.hasOwn(DTYPE_BYTES, dtype) ? DTYPE_BYTES[dtype as TensorDtype] : undefined;
}

/**
 * Elements start ... start + count of a tensor, as f32.
 * @throws ScoreCamError `weights` if the tensor has fewer elements or its element type is none that can
 * be read: the bytes behind a tensor are another tensor's, never its own.
 */
export async function readElements(
  file: ByteSource,
  name: string,
  { shape, dtype, begin }: StoredTensor,
  start: number,
  count: number,
): Promise<Float32Array<ArrayBuffer>> {
  const size = readableBytes(dtype);
  if (!size) {
    throw new ScoreCamError(
      'weights',
      `${file.name}: tensor "${name}" is ${dtype}; supported are ${Object.keys(DTYPE_BYTES).join(', ')}. ` +
        'Convert it to F32.',
    );
  }
  const elements = elementCount(shape);
  if (!(start >= 0 && count >= 0 && start + count <= elements)) {
    throw new ScoreCamError(
      'weights',
      `${file.name}: tensor "${name}" (${shapeText(shape)}) has ${elements} elements; ` +
        `${count} from ${start} on were asked for.`,
    );
  }
  return toF32(await file.read(begin + start * size, count * size), dtype);
}

/** PyTorch and NumPy know no more; without a bound a file may give each of its tensors a shape of megabytes. */
export const MOST_AXES = 64;

/** Whether a parsed value is a list of sizes: whole numbers from 0 that multiply without rounding. */
export function isShape(value: unknown): value is readonly number[] {
  return (
    Array.isArray(value) &&
    value.length <= MOST_AXES &&
    value.every((size) => Number.isSafeInteger(size) && size >= 0) &&
    Number.isSafeInteger(elementCount(value))
  );
}

/** For messages: 64x3x3x3, and "scalar" where there are no sizes to join. */
export function shapeText(shape: readonly number[]): string {
  return shape.length > 0 ? shape.join('x') : 'scalar';
}
