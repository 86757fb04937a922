import { ScoreCamError } from '../errors';
import { type AdapterFacts, type DeviceFacts, deviceFacts, factsOf } from './facts';
import type { Dispatch, Slice } from './kernel';
import { checkLimits, DEFAULT_LIMITS, deviceRequest, type Needs } from './limits';
import { Pipelines } from './pipelines';
import type { DispatchTiming, Timestamps } from './profiler';
import { Waiting } from './waiting';

export interface GpuOptions {
  /** Use this device; it is not destroyed by {@link Gpu.dispose}. Without it one is requested. */
  readonly device?: GPUDevice;
  /** From {@link requestAdapter}; requested unless given. */
  readonly adapter?: GPUAdapter;
  /** What the device must allow; WebGPU's defaults unless given. */
  readonly needs?: Needs;
}

/**
 * The browser's adapter for compute work.
 * @throws ScoreCamError `no-webgpu` or `no-adapter`, with what to do about it.
 */
export async function requestAdapter(): Promise<GPUAdapter> {
  if (typeof navigator === 'undefined' || !navigator.gpu) {
    throw (await import('./faults')).noWebgpu();
  }
  const { gpu } = navigator;
  // Firefox 140 rejects where others give null.
  let cause: unknown;
  const request = (featureLevel?: string): Promise<GPUAdapter | null> =>
    gpu
      .requestAdapter({
        powerPreference: 'high-performance',
        ...(featureLevel ? { featureLevel } : {}),
      })
      .catch((error: unknown) => {
        cause = error;
        return null;
      });
  // Compatibility mode is for drivers that are too old for WebGPU's core: many phones.
  const adapter = (await request()) ?? (await request('compatibility'));
  if (adapter) return adapter;
  throw (await import('./faults')).noAdapter(cause);
}

/** @throws ScoreCamError `no-adapter` where the adapter refuses, with its reason as the cause */
async function requestDevice(
  adapter: GPUAdapter,
  request: GPUDeviceDescriptor,
): Promise<GPUDevice> {
  try {
    return await adapter.requestDevice(request);
  } catch (cause) {
    throw (await import('./faults')).noDevice(cause);
  }
}

/** How much later than what it breaks a device's loss may be told of, in ms. */
const SOON_MS = 250;

/** Uniform slices start at multiples of this (the default minUniformBufferOffsetAlignment). */
const UNIFORM_ALIGNMENT = 256;

/**
 * A WebGPU device with what this project puts round it: a pipeline cache, labelled buffers that are
 * counted, and `submit`, which encodes a list of dispatches as one compute pass and one submit, inside
 * error scopes that turn into exceptions. No hidden global: whoever makes one disposes of it.
 */
export class Gpu {
  readonly device: GPUDevice;
  readonly adapter: AdapterFacts;
  /** Of its adapter; of a device of the caller's what it was requested with. */
  readonly abilities: Pick<GPUAdapter, 'limits' | 'features'>;
  readonly facts: DeviceFacts;
  /** What there is to say once the device is lost; undefined if it was disposed of. */
  readonly lost: Promise<string | undefined>;
  private readonly ownsDevice: boolean;
  private readonly pipelines: Pipelines;
  private readonly waiting: Waiting;
  private readonly buffers = new Set<GPUBuffer>();
  private readonly uniforms: GPUBuffer[] = [];
  /** Buffers that there was no memory for. */
  private readonly refused = new Set<GPUBuffer>();
  /** Resolves when the latest submit has reached the queue. */
  private submitted: Promise<void> = Promise.resolve();
  private broken: ScoreCamError | undefined;
  private disposed = false;
  private profile: DispatchTiming[] | undefined;
  /** Loaded by the first profile. */
  private timestamps: typeof Timestamps | undefined;
  private bytesNow = 0;
  private bytesMost = 0;

  private constructor(device: GPUDevice, adapter: GPUAdapter | undefined) {
    const info = adapter?.info ?? device.adapterInfo;
    this.device = device;
    this.adapter = factsOf(info);
    this.abilities = adapter ?? device;
    this.facts = deviceFacts(device, info);
    this.pipelines = new Pipelines(device);
    this.waiting = new Waiting(device.queue);
    this.ownsDevice = adapter !== undefined;
    if (adapter) {
      device.addEventListener('uncapturederror', ({ error }) => {
        this.broken ??= gpuError('The GPU device failed', error);
      });
    }
    this.lost = device.lost.then(({ reason, message }) => {
      if (this.disposed) return undefined;
      const why = message.replace(/\.?$/, '') || 'no reason given';
      const told = `The GPU device was lost (${reason}): ${why}.`;
      this.broken = new ScoreCamError('device-lost', `${told} Create a new explainer to go on.`);
      return told;
    });
  }

  /**
   * Requests an adapter and a device with the limits needed, no more; or takes the caller's device.
   * @throws ScoreCamError `no-webgpu`, `no-adapter` or `limit`, with what to do about it.
   */
  static async create({ device, adapter, needs = DEFAULT_LIMITS }: GpuOptions = {}): Promise<Gpu> {
    if (device) {
      checkLimits('The device', device.limits, needs);
      return new Gpu(device, undefined);
    }
    const chosen = adapter ?? (await requestAdapter());
    const request = { label: 'score-cam-webgpu', ...deviceRequest(chosen, needs) };
    return new Gpu(await requestDevice(chosen, request), chosen);
  }

  /** Whether the device is gone, and was not disposed of. */
  get isLost(): boolean {
    return this.broken?.code === 'device-lost';
  }

  /** Bytes of all live buffers made through {@link createBuffer}. */
  get allocatedBytes(): number {
    return this.bytesNow;
  }

  /** The largest value `allocatedBytes` has had. */
  get peakBytes(): number {
    return this.bytesMost;
  }

  /**
   * Makes a labelled storage buffer of `bytes` (rounded up to 4), readable and writable by copies.
   * @throws ScoreCamError `limit` naming label, need and limit.
   */
  createBuffer(label: string, bytes: number): GPUBuffer {
    this.check();
    const size = Math.max(4, Math.ceil(bytes / 4) * 4);
    const limit = this.device.limits.maxBufferSize;
    if (size > limit) {
      throw new ScoreCamError(
        'limit',
        `Buffer "${label}" needs ${size} bytes, this device allows ${limit} (maxBufferSize). ` +
          'Use a smaller memoryBudget or network.',
      );
    }
    const buffer = this.allocate({
      label,
      size,
      usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST,
    });
    this.buffers.add(buffer);
    this.bytesNow += size;
    this.bytesMost = Math.max(this.bytesMost, this.bytesNow);
    return buffer;
  }

  /** Makes a buffer that holds `data`. */
  upload(label: string, data: GpuData): GPUBuffer {
    const buffer = this.createBuffer(label, data.byteLength);
    this.write(buffer, data);
    return buffer;
  }

  /** Copies `data`, a multiple of 4 bytes, into a buffer, from byte `offset` on. */
  write(buffer: GPUBuffer, data: GpuData, offset = 0): void {
    const { byteOffset, byteLength } = data;
    this.device.pushErrorScope('validation');
    this.device.queue.writeBuffer(
      buffer,
      offset,
      data.buffer as ArrayBuffer,
      byteOffset,
      byteLength,
    );
    this.device.popErrorScope().then(
      async (error) => {
        if (!error) return;
        await this.lostSoon();
        // A buffer that there is no memory for is told of where it is used.
        if (this.refused.size === 0) this.broken ??= gpuError(buffer.label, error);
      },
      () => {},
    );
  }

  /** Frees a buffer made here; freeing twice is harmless. */
  free(buffer: GPUBuffer): void {
    this.refused.delete(buffer);
    if (this.buffers.delete(buffer)) {
      this.bytesNow -= buffer.size;
      buffer.destroy();
    }
  }

  /**
   * Encodes `dispatches` in order as one compute pass, then `copies`, and submits them.
   * Resolves when the GPU has finished; GPU errors become exceptions that name the kernel.
   */
  async submit(
    label: string,
    dispatches: readonly Dispatch[],
    copies: readonly BufferCopy[] = [],
  ): Promise<void> {
    await this.send(label, dispatches, copies, () => this.device.queue.onSubmittedWorkDone());
  }

  /**
   * {@link submit}, and then reads f32 from buffers: one wait for all of it.
   * @returns the values of each slice, in their order
   */
  async compute<const Reads extends readonly Slice[]>(
    label: string,
    dispatches: readonly Dispatch[],
    reads: Reads,
  ): Promise<{ -readonly [I in keyof Reads]: Float32Array<ArrayBuffer> }> {
    this.check();
    let end = 0;
    const parts = reads.map(({ buffer, offset = 0, size = buffer.size - offset }) => {
      const toOffset = end;
      end += size;
      return { from: buffer, fromOffset: offset, toOffset, bytes: size };
    });
    const staging = this.allocate({
      label: `read by ${label}`,
      size: end,
      usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
    });
    try {
      const copies = parts.map((part) => ({ ...part, to: staging }));
      let values: Float32Array<ArrayBuffer>[] = [];
      await this.send(label, dispatches, copies, async () => {
        await staging.mapAsync(GPUMapMode.READ);
        const mapped = staging.getMappedRange();
        values = parts.map(
          ({ toOffset, bytes }) => new Float32Array(mapped.slice(toOffset, toOffset + bytes)),
        );
      });
      return values as { -readonly [I in keyof Reads]: Float32Array<ArrayBuffer> };
    } finally {
      this.refused.delete(staging);
      staging.destroy();
    }
  }

  /**
   * The pipelines of dispatches: compiled before they are run, and kept.
   * @throws ScoreCamError `kernel` where one does not compile
   */
  compile(dispatches: readonly Dispatch[]): Promise<GPUComputePipeline[]> {
    return Promise.all(dispatches.map((dispatch) => this.pipelines.of(dispatch)));
  }

  /** @param finished asked for once all is submitted: that it is done */
  private async send(
    label: string,
    dispatches: readonly Dispatch[],
    copies: readonly BufferCopy[],
    finished: () => Promise<unknown>,
  ): Promise<void> {
    this.check();
    // Pipelines compile at their own pace, yet submits must reach the queue in the order of the calls.
    const before = this.submitted;
    let release = (): void => {};
    this.submitted = new Promise((resolve) => {
      release = resolve;
    });
    try {
      const pipelines = await this.compile(dispatches).catch(async (error: unknown) => {
        await this.settled();
        throw error;
      });
      await before;
      await this.guarded(
        label,
        () =>
          this.encode(label, dispatches, pipelines, copies, () => {
            release();
            return finished();
          }),
        () => this.culprit(dispatches, pipelines),
      );
    } finally {
      void before.then(release);
    }
  }

  /**
   * Times every dispatch that is submitted until {@link stopProfile}, by timestamp queries, each in a compute
   * pass of its own, which costs a little between them. For benchmarks.
   * @throws ScoreCamError `option` if the device was made without the feature `timestamp-query`
   */
  async startProfile(): Promise<void> {
    this.check();
    if (!this.device.features.has('timestamp-query')) {
      throw (await import('./faults')).noTimestamps();
    }
    this.timestamps = (await import('./profiler')).Timestamps;
    this.profile = [];
  }

  /** Ends what {@link startProfile} began; every dispatch since then in the order of the submits. */
  stopProfile(): DispatchTiming[] {
    const timings = this.profile ?? [];
    this.profile = undefined;
    return timings;
  }

  /** Encodes and submits at once, calls `submitted`, then waits for what it gives. */
  private async encode(
    label: string,
    dispatches: readonly Dispatch[],
    pipelines: readonly GPUComputePipeline[],
    copies: readonly BufferCopy[],
    submitted: () => Promise<unknown>,
  ): Promise<void> {
    const uniform = this.writeParams(dispatches);
    const profile = this.profile;
    const stamps =
      profile && this.timestamps && dispatches.length > 0
        ? new this.timestamps(this.device, dispatches.length)
        : undefined;
    try {
      const encoder = this.device.createCommandEncoder({ label });
      // One pass for all of them, unless each is to be timed.
      let pass: GPUComputePassEncoder | undefined;
      dispatches.forEach((dispatch, index) => {
        pass ??= encoder.beginComputePass({ label, ...stamps?.writes(index) });
        pass.setPipeline(pipelines[index] as GPUComputePipeline);
        pass.setBindGroup(0, this.bindGroup(dispatch, uniform, index * UNIFORM_ALIGNMENT));
        pass.dispatchWorkgroups(...dispatch.workgroups);
        if (!stamps) return;
        pass.end();
        pass = undefined;
      });
      pass?.end();
      for (const { from, fromOffset, to, toOffset, bytes } of copies) {
        encoder.copyBufferToBuffer(from, fromOffset, to, toOffset, bytes);
      }
      stamps?.resolve(encoder);
      this.device.queue.submit([encoder.finish({ label })]);
      await this.waiting.for(submitted());
      const times = stamps && (await this.waiting.for(stamps.read()));
      dispatches.forEach((dispatch, index) => {
        const { kernel, label: own } = dispatch;
        const ms = times?.[index] as number;
        if (times) profile?.push({ kernel: kernel.name, label: own, ms, dispatch });
      });
    } finally {
      stamps?.destroy();
      // What was disposed of in the meantime takes nothing back: on a caller's device it would live on.
      if (uniform && (this.disposed || this.refused.delete(uniform))) uniform.destroy();
      else if (uniform) this.uniforms.push(uniform);
    }
  }

  /** Reads `count` f32 from a buffer. Waits for the GPU; never used in the middle of a run. */
  async read(
    buffer: GPUBuffer,
    count = buffer.size / 4,
    offset = 0,
  ): Promise<Float32Array<ArrayBuffer>> {
    const slice = { buffer, offset: 4 * offset, size: 4 * count };
    const [values] = await this.compute(`read ${buffer.label}`, [], [slice]);
    return values;
  }

  /** Frees everything made here, and the device if it was requested here. */
  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    for (const buffer of [...this.buffers]) this.free(buffer);
    for (const uniform of this.uniforms) uniform.destroy();
    this.pipelines.clear();
    if (this.ownsDevice) this.device.destroy();
  }

  private check(): void {
    if (this.disposed) {
      throw new ScoreCamError('disposed', 'This GPU context was disposed of; create a new one.');
    }
    if (this.broken) throw this.broken;
  }

  /** Waits for the news that the device is lost, as long as it may be late. */
  private async lostSoon(): Promise<void> {
    if (this.isLost) return;
    await Promise.race([this.lost, new Promise((resolve) => setTimeout(resolve, SOON_MS))]);
  }

  /** @throws what is known to be behind a failure: a loss that is told of a little later, memory that was refused */
  private async settled(): Promise<void> {
    await this.lostSoon();
    this.check();
    const [buffer] = this.refused;
    if (!buffer) return;
    const others = this.bytesNow - (this.buffers.has(buffer) ? buffer.size : 0);
    throw (await import('./faults')).noMemory(buffer, others);
  }

  /** A buffer that there may be no memory for: `settled` tells of it when its use has failed. */
  private allocate(descriptor: GPUBufferDescriptor): GPUBuffer {
    this.device.pushErrorScope('out-of-memory');
    const buffer = this.device.createBuffer(descriptor);
    this.device.popErrorScope().then(
      (error) => {
        if (error) this.refused.add(buffer);
      },
      () => {},
    );
    return buffer;
  }

  /**
   * Runs `work` inside error scopes; a validation, memory or internal error becomes an exception, which names the
   * `culprit` if there is one.
   */
  private async guarded<T>(
    label: string,
    work: () => Promise<T>,
    culprit?: () => Promise<Dispatch | undefined>,
  ): Promise<T> {
    const scopes = ['validation', 'out-of-memory', 'internal'] as const;
    for (const scope of scopes) this.device.pushErrorScope(scope);
    // The scopes must be popped before the first await inside `work` can interleave another caller's
    // scopes, so `work` does all its encoding synchronously and only then waits.
    const running = work();
    const popped = scopes.map(() => this.device.popErrorScope());
    const [result, ...errors] = await Promise.allSettled([running, ...popped]);
    const all = [result, ...errors];
    if (all.some((one) => one.status === 'rejected' || (one !== result && one.value))) {
      await this.settled();
    } else this.check();
    for (const error of errors) {
      if (error.status !== 'fulfilled' || !error.value) continue;
      const dispatch = await culprit?.();
      const who = dispatch ? `${label}: ${dispatch.kernel.name} (${dispatch.label})` : label;
      throw gpuError(who, error.value);
    }
    if (result.status === 'rejected') {
      throw result.reason instanceof ScoreCamError
        ? result.reason
        : new ScoreCamError('kernel', `${label}: ${String(result.reason)}`, {
            cause: result.reason,
          });
    }
    return result.value;
  }

  /** The dispatch that a submit was refused for: the error may name the submit or a buffer alone. */
  private async culprit(
    dispatches: readonly Dispatch[],
    pipelines: readonly GPUComputePipeline[],
  ): Promise<Dispatch | undefined> {
    const uniform = this.writeParams(dispatches);
    try {
      const { firstRefused } = await import('./faults');
      const at = await firstRefused(this.device, dispatches, (pass, dispatch, index) => {
        pass.setPipeline(pipelines[index] as GPUComputePipeline);
        pass.setBindGroup(0, this.bindGroup(dispatch, uniform, index * UNIFORM_ALIGNMENT));
      });
      return dispatches[at];
    } catch {
      // What is known is thrown anyway.
      return undefined;
    } finally {
      uniform?.destroy();
    }
  }

  private writeParams(dispatches: readonly Dispatch[]): GPUBuffer | undefined {
    if (!dispatches.some((dispatch) => dispatch.kernel.params.length > 0)) return undefined;
    const words = UNIFORM_ALIGNMENT / 4;
    const data = new ArrayBuffer(dispatches.length * UNIFORM_ALIGNMENT);
    const asU32 = new Uint32Array(data);
    const asF32 = new Float32Array(data);
    dispatches.forEach((dispatch, index) => {
      dispatch.kernel.params.forEach((param, position) => {
        const value = dispatch.params[param.name];
        if (value === undefined) {
          throw new ScoreCamError(
            'kernel',
            `Kernel ${dispatch.kernel.name} (${dispatch.label}): no value for Params.${param.name}.`,
          );
        }
        (param.type === 'u32' ? asU32 : asF32)[index * words + position] = value;
      });
    });
    const size = data.byteLength;
    const free = this.uniforms.findIndex((candidate) => candidate.size >= size);
    const uniform =
      free >= 0
        ? (this.uniforms.splice(free, 1)[0] as GPUBuffer)
        : this.allocate({
            label: 'params',
            size,
            usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
          });
    this.device.queue.writeBuffer(uniform, 0, data);
    return uniform;
  }

  private bindGroup(
    dispatch: Dispatch,
    uniform: GPUBuffer | undefined,
    offset: number,
  ): GPUBindGroup {
    const { kernel } = dispatch;
    const entries = kernel.bindings.map(({ name, binding, access }): GPUBindGroupEntry => {
      if (access === 'uniform') {
        const size = Math.ceil(kernel.params.length / 4) * 16;
        return { binding, resource: { buffer: uniform as GPUBuffer, offset, size } };
      }
      const slice: Slice | undefined = dispatch.buffers[name];
      if (!slice) {
        throw new ScoreCamError(
          'kernel',
          `Kernel ${kernel.name} (${dispatch.label}): no buffer for "${name}".`,
        );
      }
      const size = slice.size ?? slice.buffer.size - (slice.offset ?? 0);
      const limit = this.device.limits.maxStorageBufferBindingSize;
      if (size > limit) {
        throw new ScoreCamError(
          'limit',
          `Kernel ${kernel.name} (${dispatch.label}): binding "${name}" needs ${size} bytes, ` +
            `this device allows ${limit} (maxStorageBufferBindingSize). Use smaller batches.`,
        );
      }
      return { binding, resource: slice };
    });
    return this.device.createBindGroup({
      label: `${kernel.name} (${dispatch.label})`,
      layout: this.pipelines.layout(kernel),
      entries,
    });
  }
}

/** What is written to buffers; small elements only in whole words. */
export type GpuData = Float32Array | Uint32Array | Uint16Array | Uint8Array;

export interface BufferCopy {
  readonly from: GPUBuffer;
  readonly fromOffset: number;
  readonly to: GPUBuffer;
  readonly toOffset: number;
  readonly bytes: number;
}

function gpuError(label: string, error: GPUError): ScoreCamError {
  const code =
    typeof GPUOutOfMemoryError !== 'undefined' && error instanceof GPUOutOfMemoryError
      ? 'out-of-memory'
      : 'kernel';
  return new ScoreCamError(code, `${label}: ${error.message}`);
}
