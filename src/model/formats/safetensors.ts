import { ScoreCamError } from '../../errors';
import type { TensorDtype } from '../../numbers/tensor_dtypes';
import type { ByteSource } from '../bytes/byte-source';
import { elementCount, tensorOf, type WeightSource } from '../weight-source';
import { isShape, readableBytes, readElements, type StoredTensor, shapeText } from './elements';
import { LARGEST_JSON, parseJson } from './json';

/**
 * Opens a safetensors file: an 8-byte little-endian header length, a JSON header, then the tensors'
 * bytes. Every offset is checked against the file's size before anything is read.
 * @throws ScoreCamError `weights` naming file, tensor, offset and expectation.
 */
export async function openSafetensors(file: ByteSource): Promise<WeightSource> {
  const fail = (message: string): never => {
    throw new ScoreCamError('weights', `${file.name}: ${message}`);
  };
  if (file.size < 8) fail(`${file.size} bytes are too few for a safetensors file.`);
  const start = await file.read(0, 8);
  const headerBytes = Number(new DataView(start.buffer, start.byteOffset).getBigUint64(0, true));
  if (headerBytes > file.size - 8 || headerBytes > LARGEST_JSON) {
    fail(
      `its header claims ${headerBytes} bytes, the file has ${file.size} and a header at most ${LARGEST_JSON}: ` +
        'not a safetensors file, or cut off.',
    );
  }
  const dataStart = 8 + headerBytes;
  const header = parseJson(file.name, await file.read(8, headerBytes), 'its safetensors header');
  const entries = Object.entries(header)
    .filter(([name]) => name !== '__metadata__')
    .map(([name, value]) => [name, checkEntry(name, value)] as const)
    .sort(([, a], [, b]) => a.begin - b.begin);

  function checkEntry(name: string, value: unknown): StoredTensor {
    const entry = (value ?? {}) as { dtype?: unknown; shape?: unknown; data_offsets?: unknown };
    const { dtype, shape, data_offsets: offsets } = entry;
    if (typeof dtype !== 'string' || !isShape(shape) || !isRange(offsets)) {
      return fail(`tensor "${name}" has a malformed header entry.`);
    }
    const [begin, end] = offsets;
    const bytes = readableBytes(dtype);
    const need = bytes ? bytes * elementCount(shape) : end - begin;
    if (end - begin !== need || end > file.size - dataStart) {
      fail(
        `tensor "${name}" (${dtype} ${shapeText(shape)}) needs ${need} bytes, ` +
          `the header gives ${begin}..${end} of ${file.size - dataStart}.`,
      );
    }
    return { dtype: dtype as TensorDtype, shape, begin: dataStart + begin };
  }

  const tensors = new Map(entries);
  return {
    name: file.name,
    tensors,
    async read(name, first, count) {
      const tensor = tensorOf({ name: file.name, tensors }, name);
      return readElements(file, name, tensor, first, count);
    },
  };
}

/** Two byte offsets, the second not before the first. */
function isRange(value: unknown): value is readonly [number, number] {
  if (!Array.isArray(value) || value.length !== 2) return false;
  const [begin, end] = value as [unknown, unknown];
  return (
    Number.isSafeInteger(begin) &&
    Number.isSafeInteger(end) &&
    0 <= Number(begin) &&
    Number(begin) <= Number(end)
  );
}
