import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import type { StoredTensor } from '../src/model/encoding';
import { elementCount } from '../src/model/weight-source';
import { DTYPE_BYTES } from '../src/numbers/tensor_dtypes';
import { CliError } from './errors';

interface Place {
  /** Byte of the file that the tensor starts at. */
  readonly start: number;
  readonly bytes: number;
  /** Bytes written so far. */
  written: number;
}

/**
 * A safetensors file that is written piece by piece in any order under a temporary name, and gets its own
 * once it is whole. All tensors are known beforehand, so every one has its place from the start.
 */
export class SafetensorsFile {
  private readonly file: FileHandle;
  private readonly path: string;
  private readonly places: ReadonlyMap<string, Place>;

  private constructor(file: FileHandle, path: string, places: ReadonlyMap<string, Place>) {
    this.file = file;
    this.path = path;
    this.places = places;
  }

  /** @throws CliError for two tensors of one name; what the disk says. */
  static async create(path: string, tensors: readonly StoredTensor[]): Promise<SafetensorsFile> {
    // Wide elements first: every tensor then starts at a multiple of its element's size.
    const bySize = tensors.toSorted((a, b) => DTYPE_BYTES[b.dtype] - DTYPE_BYTES[a.dtype]);
    let end = 0;
    const entries = bySize.map(({ name, shape, dtype }) => {
      const begin = end;
      end += elementCount(shape) * DTYPE_BYTES[dtype];
      return [name, { dtype, shape, data_offsets: [begin, end] as const }] as const;
    });
    const header = headerOf(Object.fromEntries(entries));
    const places = new Map<string, Place>();
    for (const [name, { data_offsets: offsets }] of entries) {
      if (places.has(name)) {
        throw new CliError(
          `Two layers name the tensor "${name}": each must have its own to be written.`,
        );
      }
      const start = header.length + offsets[0];
      places.set(name, { start, bytes: offsets[1] - offsets[0], written: 0 });
    }
    const target = new SafetensorsFile(await open(`${path}.part`, 'w'), path, places);
    try {
      await writeAt(target.file, header, 0);
      await target.file.truncate(header.length + end);
      return target;
    } catch (error) {
      await target.abandon();
      throw error;
    }
  }

  /** Writes a tensor's bytes from `offset` on; each byte once. */
  async write(tensor: string, offset: number, bytes: Uint8Array): Promise<void> {
    const place = this.places.get(tensor);
    if (!place || offset + bytes.length > place.bytes) {
      throw new Error(
        `${this.path} has no room for ${bytes.length} bytes at ${offset} of tensor ${tensor}`,
      );
    }
    await writeAt(this.file, bytes, place.start + offset);
    place.written += bytes.length;
  }

  /** Ends the file, still under its temporary name: bytes and SHA-256 for the manifest. */
  async seal(): Promise<{ bytes: number; sha256: string }> {
    for (const [name, { bytes, written }] of this.places) {
      if (written !== bytes) {
        throw new CliError(
          `${this.path}: ${written} of the ${bytes} bytes of tensor "${name}" came.`,
        );
      }
    }
    const { size } = await this.file.stat();
    await this.file.sync();
    await this.file.close();
    const hash = createHash('sha256');
    for await (const chunk of createReadStream(`${this.path}.part`)) hash.update(chunk as Buffer);
    return { bytes: size, sha256: hash.digest('hex') };
  }

  /** Gives the sealed file its name, in place of what had it before. */
  async publish(): Promise<void> {
    await rename(`${this.path}.part`, this.path);
  }

  /** {@link seal} and {@link publish}. */
  async finish(): Promise<{ bytes: number; sha256: string }> {
    const facts = await this.seal();
    await this.publish();
    return facts;
  }

  /** Leaves nothing behind. */
  async abandon(): Promise<void> {
    await this.file.close().catch(() => {});
    await rm(`${this.path}.part`, { force: true });
  }
}

/** Length and JSON, with spaces to a multiple of 8 bytes, as the format asks for. */
function headerOf(entries: Readonly<Record<string, unknown>>): Uint8Array {
  const json = new TextEncoder().encode(JSON.stringify(entries));
  const header = new Uint8Array(8 + Math.ceil(json.length / 8) * 8).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(header.length - 8), true);
  header.set(json, 8);
  return header;
}

/** All of the bytes: one call may write fewer, above all where the disk is nearly full. */
async function writeAt(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}
