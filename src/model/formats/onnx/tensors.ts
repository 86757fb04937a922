import { ScoreCamError, shown } from '../../../errors';
import { DTYPE_BYTES, type TensorDtype } from '../../../numbers/tensor_dtypes';
import { type ByteSource, memorySource, type OpenSibling } from '../../bytes/byte-source';
import { elementCount } from '../../weight-source';
import { readElements, type StoredTensor, shapeText } from '../elements';
import { checkPartPath } from '../json';
import { BFLOAT16, BOOL, DOUBLE, FLOAT, FLOAT16, INT32, INT64, type OnnxTensor } from './graph';
import { type Span, unpackVarints } from './wire';

const FLOATS: Readonly<Record<number, TensorDtype>> = {
  [FLOAT]: 'F32',
  [FLOAT16]: 'F16',
  [BFLOAT16]: 'BF16',
  [DOUBLE]: 'F64',
};

/** Bytes of the integers that shapes are made of. */
const INTEGERS: Readonly<Record<number, 1 | 4 | 8>> = { [INT32]: 4, [INT64]: 8, [BOOL]: 1 };

export function isFloat({ type }: OnnxTensor): boolean {
  return Object.hasOwn(FLOATS, type);
}

/** The tensors of an ONNX file and of the files beside it, read when they are asked for. */
export class TensorFiles {
  private readonly siblings = new Map<string, Promise<ByteSource>>();

  constructor(
    readonly file: ByteSource,
    private readonly sibling: OpenSibling,
  ) {}

  /**
   * How a tensor of floats is stored.
   * @throws ScoreCamError `weights` if it is of another type or its bytes are not there
   */
  dtypeOf(tensor: OnnxTensor): TensorDtype {
    const { name, shape, type, place } = tensor;
    const dtype = FLOATS[type];
    if (!dtype) {
      return this.fail(tensor, 'weights must be FLOAT, FLOAT16, BFLOAT16 or DOUBLE.');
    }
    if (place.in === 'file') {
      // A varint has three bytes at most for 16 bits.
      if (!fits(place, elementCount(shape), DTYPE_BYTES[dtype], 3)) {
        this.fail(tensor, `it has ${place.span.length} bytes.`);
      }
    } else {
      checkPartPath(`${this.file.name}: tensor "${name}"`, place.path);
    }
    return dtype;
  }

  /**
   * Elements start ... start + count, as f32.
   * @throws ScoreCamError `weights` naming file, tensor and expectation
   */
  async floats(
    tensor: OnnxTensor,
    start: number,
    count: number,
  ): Promise<Float32Array<ArrayBuffer>> {
    const dtype = this.dtypeOf(tensor);
    const { name, shape, place } = tensor;
    const whole = await this.placeOf(tensor, DTYPE_BYTES[dtype] * elementCount(shape));
    const isVarints = place.in === 'file' && place.isVarints;
    const { file, begin } = isVarints ? await this.unpacked(tensor, whole) : whole;
    const stored: StoredTensor = { shape, dtype, begin };
    return readElements(file, name, stored, start, count);
  }

  /** All elements of a small tensor, floats or integers. */
  async numbers(tensor: OnnxTensor, most: number): Promise<number[]> {
    const { shape, type, place } = tensor;
    const count = elementCount(shape);
    if (count > most) {
      this.fail(tensor, `it has ${count} elements; at most ${most} are possible where it is used.`);
    }
    if (isFloat(tensor)) return Array.from(await this.floats(tensor, 0, count));
    const size = INTEGERS[type];
    if (!size) return this.fail(tensor, 'shapes and the like must be INT32, INT64 or BOOL.');
    if (place.in === 'file' && !fits(place, count, size, 10)) {
      this.fail(tensor, `it has ${place.span.length} bytes.`);
    }
    const { file, begin, length } = await this.placeOf(tensor, size * count);
    const bytes = await file.read(begin, length);
    const values =
      place.in === 'file' && place.isVarints
        ? unpackVarints(bytes, (problem) => this.fail(tensor, problem))
        : size === 1
          ? Array.from(bytes)
          : Array.from(
              size === 8
                ? new BigInt64Array(bytes.slice().buffer)
                : new Int32Array(bytes.slice().buffer),
              Number,
            );
    if (values.length !== count) this.fail(tensor, `it has ${values.length} elements.`);
    return values;
  }

  /** The file that a tensor is in, and where it is there. */
  private async placeOf(
    tensor: OnnxTensor,
    bytes: number,
  ): Promise<Span & { readonly file: ByteSource }> {
    const { place } = tensor;
    if (place.in === 'file') {
      const { span } = place;
      return span.bytes
        ? { file: memorySource(this.file.name, span.bytes), begin: 0, length: span.length }
        : { file: this.file, ...span };
    }
    checkPartPath(`${this.file.name}: tensor "${tensor.name}"`, place.path);
    const { path, offset, length = bytes } = place;
    let opened = this.siblings.get(path);
    if (!opened) {
      opened = this.sibling(path);
      this.siblings.set(path, opened);
      // What failed is tried again when it is asked for again.
      opened.catch(() => this.siblings.delete(path));
    }
    const file = await opened;
    if (length !== bytes || offset + bytes > file.size) {
      this.fail(
        tensor,
        `it needs ${bytes} bytes; the file gives ${length} from ${offset} on of the ${file.size} in ${shown(path)}.`,
      );
    }
    return { file, begin: offset, length };
  }

  /** Half floats that are stored as numbers. */
  private async unpacked(
    tensor: OnnxTensor,
    { file, begin, length }: Span & { readonly file: ByteSource },
  ) {
    const bytes = await file.read(begin, length);
    const halves = Uint16Array.from(unpackVarints(bytes, (problem) => this.fail(tensor, problem)));
    return { file: memorySource(this.file.name, new Uint8Array(halves.buffer)), begin: 0 };
  }

  private fail({ name, shape, type }: OnnxTensor, problem: string): never {
    throw new ScoreCamError(
      'weights',
      `${this.file.name}: tensor "${name}" (${shapeText(shape)}, TensorProto type ${type}): ${problem}`,
    );
  }
}

/** Whether bytes in the file can be `count` numbers of `size` bytes, or varints of at most `longest`. */
function fits(
  { span, isVarints }: { readonly span: Span; readonly isVarints: boolean },
  count: number,
  size: number,
  longest: number,
): boolean {
  return isVarints
    ? span.length >= count && span.length <= longest * count
    : span.length === size * count;
}
