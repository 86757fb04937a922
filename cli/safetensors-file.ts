import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { DTYPE_BYTES } from '../src/model/dtypes';
import type { StoredTensor } from '../src/model/forms';
import { elementCount } from '../src/model/weight-source';

/**
 * A safetensors file that is written piece by piece in any order under a temporary name, and gets its own
 * once it is whole. All tensors are known beforehand, so every one has its place from the start.
 */
export class SafetensorsFile {
  private readonly file: FileHandle;
  private readonly path: string;
  private readonly places: ReadonlyMap<string, number>;

  private constructor(file: FileHandle, path: string, places: ReadonlyMap<string, number>) {
    this.file = file;
    this.path = path;
    this.places = places;
  }

  static async create(path: string, tensors: readonly StoredTensor[]): Promise<SafetensorsFile> {
    const header: Record<string, unknown> = {};
    const places = new Map<string, number>();
    let end = 0;
    // Wide elements first: every tensor then starts at a multiple of its element's size.
    const bySize = tensors.toSorted((a, b) => DTYPE_BYTES[b.dtype] - DTYPE_BYTES[a.dtype]);
    for (const { name, shape, dtype } of bySize) {
      places.set(name, end);
      const begin = end;
      end += elementCount(shape) * DTYPE_BYTES[dtype];
      header[name] = { dtype, shape, data_offsets: [begin, end] };
    }
    const json = JSON.stringify(header);
    // Spaces to a multiple of 8, as the format asks for.
    const text = new TextEncoder().encode(json + ' '.repeat((8 - (json.length % 8)) % 8));
    const start = new Uint8Array(8 + text.length);
    new DataView(start.buffer).setBigUint64(0, BigInt(text.length), true);
    start.set(text, 8);
    for (const [name, place] of places) places.set(name, place + start.length);
    const file = await open(`${path}.part`, 'w');
    await file.write(start, 0, start.length, 0);
    await file.truncate(start.length + end);
    return new SafetensorsFile(file, path, places);
  }

  /** Writes a tensor's bytes from `offset` on. */
  async write(tensor: string, offset: number, bytes: Uint8Array): Promise<void> {
    const place = this.places.get(tensor);
    if (place === undefined) throw new Error(`${this.path} has no tensor ${tensor}`);
    await this.file.write(bytes, 0, bytes.length, place + offset);
  }

  /** Ends the file: bytes and SHA-256 for the manifest. */
  async finish(): Promise<{ bytes: number; sha256: string }> {
    const { size } = await this.file.stat();
    await this.file.sync();
    await this.file.close();
    const hash = createHash('sha256');
    for await (const chunk of createReadStream(`${this.path}.part`)) hash.update(chunk as Buffer);
    await rename(`${this.path}.part`, this.path);
    return { bytes: size, sha256: hash.digest('hex') };
  }

  /** Leaves nothing behind. */
  async abandon(): Promise<void> {
    await this.file.close().catch(() => {});
    await rm(`${this.path}.part`, { force: true });
  }
}
