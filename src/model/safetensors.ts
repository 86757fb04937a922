import { ScoreCamError } from '../errors';
import type { WeightSource } from './weight-source';

/** Bytes an element takes, and how elements become f32. */
const DTYPES: Record<string, { bytes: number; toF32(bytes: ArrayBuffer): Float32Array }> = {
  F32: { bytes: 4, toF32: (bytes) => new Float32Array(bytes) },
  F16: { bytes: 2, toF32: (bytes) => Float32Array.from(new Uint16Array(bytes), halfToFloat) },
  BF16: { bytes: 2, toF32: bfloat16ToF32 },
};

interface TensorEntry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

/**
 * Reads a safetensors file that is in memory: an 8-byte little-endian header length, a JSON header,
 * then the tensors' bytes. Every offset is checked against the file before anything is read.
 * @throws ScoreCamError `weights` naming file, tensor, offset and expectation.
 */
export function openSafetensors(file: ArrayBuffer, fileName: string): WeightSource {
  const fail = (message: string): never => {
    throw new ScoreCamError('weights', `${fileName}: ${message}`);
  };
  if (file.byteLength < 8) fail(`${file.byteLength} bytes are too few for a safetensors file.`);
  const headerBytes = Number(new DataView(file).getBigUint64(0, true));
  if (headerBytes > file.byteLength - 8) {
    fail(
      `its header claims ${headerBytes} bytes, the file has ${file.byteLength}: ` +
        'not a safetensors file, or cut off.',
    );
  }
  const dataStart = 8 + headerBytes;
  const tensors = new Map<string, TensorEntry>();
  for (const [name, entry] of Object.entries(parseHeader(file, headerBytes, fail))) {
    if (name !== '__metadata__') tensors.set(name, checkEntry(name, entry));
  }

  function checkEntry(name: string, value: unknown): TensorEntry {
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
    const known = DTYPES[dtype];
    const need = known ? known.bytes * shape.reduce((a, b) => a * b, 1) : end - begin;
    if (end - begin !== need || end > file.byteLength - dataStart) {
      fail(
        `tensor "${name}" (${dtype} ${shape.join('x')}) needs ${need} bytes, ` +
          `the header gives ${begin}..${end} of ${file.byteLength - dataStart}.`,
      );
    }
    return { dtype, shape, begin, end };
  }

  function find(name: string): TensorEntry {
    return tensors.get(name) ?? fail(`there is no tensor "${name}".`);
  }

  return {
    shape: (name) => find(name).shape,
    async read(name, start, count) {
      const entry = find(name);
      const dtype = DTYPES[entry.dtype];
      if (!dtype) {
        return fail(
          `tensor "${name}" is ${entry.dtype}; supported are ${Object.keys(DTYPES).join(', ')}.`,
        );
      }
      const from = dataStart + entry.begin + start * dtype.bytes;
      return dtype.toF32(file.slice(from, from + count * dtype.bytes));
    },
  };
}

function parseHeader(
  file: ArrayBuffer,
  headerBytes: number,
  fail: (message: string) => never,
): Record<string, unknown> {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(
      new Uint8Array(file, 8, headerBytes),
    );
    const header: unknown = JSON.parse(text);
    if (typeof header === 'object' && header !== null) return header as Record<string, unknown>;
  } catch {
    // Reported below: the reason is always that this is no safetensors header.
  }
  return fail('its header is not JSON: not a safetensors file, or damaged.');
}

function halfToFloat(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 31;
  const fraction = half & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

function bfloat16ToF32(bytes: ArrayBuffer): Float32Array {
  const upperHalves = Uint32Array.from(new Uint16Array(bytes), (value) => value << 16);
  return new Float32Array(upperHalves.buffer);
}
