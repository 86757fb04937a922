import type { Dispatch } from './kernel';

/** How long one dispatch took on the GPU. */
export interface DispatchTiming {
  /** Name of the kernel and of what it computed. */
  readonly kernel: string;
  readonly label: string;
  readonly ms: number;
  /** Its buffers may be freed by now. */
  readonly dispatch: Dispatch;
}

/** Two timestamps for each of `count` compute passes of one submit. */
export class Timestamps {
  private readonly count: number;
  private readonly querySet: GPUQuerySet;
  private readonly resolved: GPUBuffer;
  private readonly staging: GPUBuffer;

  /** @param device with the feature `timestamp-query` */
  constructor(device: GPUDevice, count: number) {
    const label = 'profile';
    const size = 16 * count;
    this.count = count;
    this.querySet = device.createQuerySet({ label, type: 'timestamp', count: 2 * count });
    this.resolved = device.createBuffer({
      label,
      size,
      usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC,
    });
    this.staging = device.createBuffer({
      label,
      size,
      usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
    });
  }

  /** Part of the descriptor of pass `index`. */
  writes(index: number): Pick<GPUComputePassDescriptor, 'timestampWrites'> {
    return {
      timestampWrites: {
        querySet: this.querySet,
        beginningOfPassWriteIndex: 2 * index,
        endOfPassWriteIndex: 2 * index + 1,
      },
    };
  }

  /** Recorded behind the passes. */
  resolve(encoder: GPUCommandEncoder): void {
    encoder.resolveQuerySet(this.querySet, 0, 2 * this.count, this.resolved, 0);
    encoder.copyBufferToBuffer(this.resolved, 0, this.staging, 0, 16 * this.count);
  }

  /** Milliseconds of each pass, once the submit has finished. */
  async read(): Promise<number[]> {
    await this.staging.mapAsync(GPUMapMode.READ);
    const at = new BigUint64Array(this.staging.getMappedRange());
    return Array.from(
      { length: this.count },
      (_, i) => Number((at[2 * i + 1] as bigint) - (at[2 * i] as bigint)) / 1e6,
    );
  }

  destroy(): void {
    this.querySet.destroy();
    this.resolved.destroy();
    this.staging.destroy();
  }
}
