import { ScoreCamError } from '../../errors';
import type { ByteSource } from '../bytes/byte-source';
import { DTYPE_BYTES, toF32 } from '../dtypes';
import { elementCount, type TensorDtype, tensorOf, type WeightSource } from '../weight-source';

interface Entry {
  readonly shape: readonly number[];
  readonly dtype: TensorDtype;
  /** Byte offset in the file. */
  readonly begin: number;
}

/** No header of a sequential network comes near this; a file of another kind may claim anything. */
const LARGEST_HEADER = 64 * 1024 * 1024;

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
  if (headerBytes > file.size - 8 || headerBytes > LARGEST_HEADER) {
    fail(
      `its header claims ${headerBytes} bytes, the file has ${file.size}: ` +
        'not a safetensors file, or cut off.',
    );
  }
  const dataStart = 8 + headerBytes;
  const header = parseHeader(await file.read(8, headerBytes), fail);
  const entries = Object.entries(header)
    .filter(([name]) => name !== '__metadata__')
    .map(([name, value]) => [name, checkEntry(name, value)] as const)
    .sort(([, a], [, b]) => a.begin - b.begin);

  function checkEntry(name: string, value: unknown): Entry {
    const entry = (value ?? {}) as { dtype?: unknown; shape?: unknown; data_offsets?: unknown };
    const isCounts = (v: unknown): v is number[] =>
      Array.isArray(v) && v.every((n) => Number.isSafeInteger(n) && n >= 0);
    const { dtype, shape, data_offsets: offsets } = entry;
    if (
      typeof dtype !== 'string' ||
      !isCounts(shape) ||
      !isCounts(offsets) ||
      offsets.length !== 2
    ) {
      return fail(`tensor "${name}" has a malformed header entry.`);
    }
    const [begin, end] = offsets as [number, number];
    const bytes = (DTYPE_BYTES as Readonly<Record<string, number>>)[dtype];
    const need = bytes ? bytes * elementCount(shape) : end - begin;
    if (end - begin !== need || end > file.size - dataStart) {
      fail(
        `tensor "${name}" (${dtype} ${shape.join('x')}) needs ${need} bytes, ` +
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
      const { begin, dtype } = tensorOf({ name: file.name, tensors }, name);
      const size = DTYPE_BYTES[dtype];
      if (!size) {
        return fail(
          `tensor "${name}" is ${dtype}; supported are ${Object.keys(DTYPE_BYTES).join(', ')}.`,
        );
      }
      return toF32(await file.read(begin + first * size, count * size), dtype);
    },
  };
}

function parseHeader(bytes: Uint8Array, fail: (message: string) => never): Record<string, unknown> {
  try {
    const header: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    if (typeof header === 'object' && header !== null) return header as Record<string, unknown>;
  } catch {
    // Reported below: the reason is always that this is no safetensors header.
  }
  return fail('its header is not JSON: not a safetensors file, or damaged.');
}
