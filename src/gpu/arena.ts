import type { Gpu, GpuData } from './gpu';
import type { Slice } from './kernel';

/**
 * Buffers with lifetimes. `take` hands out a buffer, `release` gives it back for the next `take`. That
 * is safe while dispatches are still being recorded, because the GPU runs dispatches in order: a buffer
 * released after the dispatch that reads it may be written by any later one. A chain of layers thus
 * lives in two buffers, however long it is.
 */
export class Arena {
  private readonly gpu: Pick<Gpu, 'createBuffer' | 'write' | 'free'>;
  private readonly all: GPUBuffer[] = [];
  private free: GPUBuffer[] = [];

  constructor(gpu: Pick<Gpu, 'createBuffer' | 'write' | 'free'>) {
    this.gpu = gpu;
  }

  /** A slice of exactly `bytes`, in the smallest free buffer that holds it or in a new one. */
  take(label: string, bytes: number): Slice {
    const size = Math.ceil(bytes / 4) * 4;
    const fitting = this.free.filter((buffer) => buffer.size >= size);
    const best = fitting.reduce<GPUBuffer | undefined>(
      (least, buffer) => (least && least.size <= buffer.size ? least : buffer),
      undefined,
    );
    if (best) {
      this.free = this.free.filter((buffer) => buffer !== best);
      best.label = label;
      return { buffer: best, offset: 0, size };
    }
    const buffer = this.gpu.createBuffer(label, size);
    this.all.push(buffer);
    return { buffer, offset: 0, size };
  }

  /** A slice that holds `data`. Only for data that is written before anything is submitted. */
  upload(label: string, data: GpuData): Slice {
    const slice = this.take(label, data.byteLength);
    this.gpu.write(slice.buffer, data);
    return slice;
  }

  /** Ends the lifetime of what `take` returned, once: two takers of one buffer would overwrite each other. */
  release({ buffer }: Slice): void {
    if (!this.all.includes(buffer))
      throw new Error(`"${buffer.label}" is of no buffer of this arena.`);
    if (this.free.includes(buffer)) throw new Error(`"${buffer.label}" was released already.`);
    this.free.push(buffer);
  }

  dispose(): void {
    for (const buffer of this.all) this.gpu.free(buffer);
    this.all.length = 0;
    this.free = [];
  }
}
