import { ScoreCamError } from '../errors';
import { Arena } from '../gpu/arena';
import type { DeviceFacts } from '../gpu/facts';
import type { Gpu } from '../gpu/gpu';
import type { Dispatch } from '../gpu/kernel';
import type { DispatchTiming } from '../gpu/profiler';
import { packConv } from '../kernels/convolution/conv';
import type { ConvShape } from '../kernels/convolution/conv_kernel';
import { winogradFilterBytes, winogradFilters } from '../kernels/winograd/winograd';
import type { Network } from '../model/network';
import type { Precision } from '../numbers/dtypes';
import { maskedPasses, planBatches } from '../plan/batches';
import { compile, tunableShapes } from '../plan/compile';
import { type ConvMethod, candidatesFor, methodName, sizesKey } from '../plan/conv_choice';
import { convDevice } from '../plan/device';
import { adapterKey, type ConvTuning, suits, TUNING_VERSION, type TunedLayer } from '../plan/tuned';
import { recordConv } from './record-conv';

/*
 * Measuring on the device itself which way to compute each convolution of a network. Every candidate first has to
 * agree with a direct convolution in f64 on a small case; then it is timed on the layer's shape.
 */

export interface TuneOptions {
  /** What the device can do. Default: what it says itself. */
  readonly facts?: DeviceFacts | undefined;
  readonly precision: Precision;
  /** Bytes of activations, as for an explanation. */
  readonly memoryBudget: number;
  /** Images that are convolved at once. Default: as many as an explanation would take. */
  readonly batch?: number | undefined;
  /** Of the same device; shapes it has are not measured again. */
  readonly known?: ConvTuning | undefined;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Masks of a Score-CAM: what batches are planned for. */
const MASKS = 512;

/**
 * Times every way to compute each of the network's convolutions but the first, whose mask is fused into a kernel of
 * its own. Takes seconds on a GPU. The first call for a device should come before weights are loaded: methods differ
 * in the filters they keep.
 */
export async function tuneConvolutions(
  gpu: Gpu,
  network: Network,
  options: TuneOptions,
): Promise<ConvTuning> {
  const { facts = gpu.facts, precision, known, onProgress, signal } = options;
  const device = convDevice(facts, precision);
  const kept = known && suits(known, gpu.adapter, precision) ? known.layers : {};
  const missing = tunableShapes(network).filter((shape) => !(sizesKey(shape) in kept));
  const candidates = missing.map((shape) => candidatesFor(shape, device));
  const total = candidates.flat().length;
  const batch = missing.length > 0 ? batchOf(gpu, network, options) : 0;
  const layers: Record<string, TunedLayer> = { ...kept };
  // A method that is right on a small case is right: shapes differ in sizes only.
  const verdicts = new Map<string, string | undefined>();
  let expected: Float64Array | undefined;
  let done = 0;
  onProgress?.(0, total);
  for (const [i, shape] of missing.entries()) {
    const measured: { method: string; ms?: number; refused?: string }[] = [];
    for (const candidate of candidates[i] as ConvMethod[]) {
      signal?.throwIfAborted();
      const method = methodName(candidate);
      expected ??= convolved(SMALL);
      if (!verdicts.has(method)) verdicts.set(method, await fault(gpu, candidate, expected));
      const refused = verdicts.get(method);
      const best = Math.min(...measured.map(({ ms = Infinity }) => ms));
      if (refused !== undefined) measured.push({ method, refused });
      else measured.push({ method, ms: await time(gpu, shape, batch, candidate, best) });
      done++;
      onProgress?.(done, total);
    }
    const [fastest] = measured
      .filter(({ ms }) => ms !== undefined)
      .sort((a, b) => (a.ms as number) - (b.ms as number));
    // Without any that is right the table decides, and the tuning says why.
    layers[sizesKey(shape)] = { method: fastest?.method ?? '', measured };
  }
  return { version: TUNING_VERSION, adapter: adapterKey(gpu.adapter), precision, layers };
}

function batchOf(gpu: Gpu, network: Network, options: TuneOptions): number {
  const { facts = gpu.facts, memoryBudget, precision, batch } = options;
  if (batch !== undefined) return batch;
  const plan = compile(network, facts, { precision });
  return planBatches(maskedPasses(plan), MASKS, memoryBudget).most;
}

/**
 * Sizes of the small case: more than the largest tile each way (150 tiles of F(4x4)), so that every invocation's
 * outputs count, and no multiple of one; in channels a multiple of all matrix units and of what quads take.
 */
const SMALL: ConvShape = {
  inChannels: 32,
  outChannels: 160,
  height: 37,
  width: 57,
  kernel: 3,
  slope: 0,
  pool: false,
};

/**
 * Largest difference from f64, over the largest output: ten times what is measured for F(4x4, 3x3) in
 * few channels (docs/gpu-kernels.md), a hundredth of what a wrong index makes.
 */
const DIFFERENCE: Readonly<Record<Precision, number>> = { f32: 2e-5, f16: 3e-2 };

/** Why a method cannot be used on this device: it does not compile, fails, or differs; undefined if it can. */
async function fault(
  gpu: Gpu,
  method: ConvMethod,
  expected: Float64Array,
): Promise<string | undefined> {
  try {
    const actual = await computed(gpu, method);
    const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const off = expected.reduce((most, value, i) => {
      const error = Math.abs((actual[i] as number) - value);
      return Number.isNaN(error) ? Infinity : Math.max(most, error);
    }, 0);
    const allowed = DIFFERENCE[method.kind === 'winograd' ? method.precision : 'f32'];
    return off <= allowed * largest
      ? undefined
      : `differs by ${(off / largest).toExponential(1)} from f64, may differ by ${allowed}`;
  } catch (error) {
    // A device that is lost or disposed of is no fault of the method.
    if (!(error instanceof ScoreCamError) || !['kernel', 'limit'].includes(error.code)) throw error;
    return error.message;
  }
}

/** The small case in f64, straight from the definition. */
function convolved({ inChannels, outChannels, height, width }: ConvShape): Float64Array {
  const { input, weights } = values(SMALL);
  const output = new Float64Array(outChannels * height * width);
  for (let o = 0; o < outChannels; o++) {
    const plane = output.subarray(o * height * width, (o + 1) * height * width);
    for (let c = 0; c < inChannels; c++) {
      const from = input.subarray(c * height * width, (c + 1) * height * width);
      for (let tap = 0; tap < 9; tap++) {
        const weight = weights[(o * inChannels + c) * 9 + tap] as number;
        const [down, across] = [Math.floor(tap / 3) - 1, (tap % 3) - 1];
        const [left, right] = [Math.max(0, -across), Math.min(width, width - across)];
        for (let y = Math.max(0, -down); y < Math.min(height, height - down); y++) {
          const at = (y + down) * width + across;
          for (let x = left; x < right; x++) {
            plane[y * width + x] =
              (plane[y * width + x] as number) + weight * (from[at + x] as number);
          }
        }
      }
    }
  }
  return output.map((sum) => Math.max(sum, 0));
}

/** The small case by one method. */
async function computed(gpu: Gpu, method: ConvMethod): Promise<Float32Array> {
  const arena = new Arena(gpu);
  try {
    const { filters, dispatches, output, count } = prepare(gpu, arena, SMALL, 1, method);
    await gpu.submit(`check of ${methodName(method)}`, [...filters, ...dispatches]);
    return await gpu.read(output, count);
  } finally {
    arena.dispose();
  }
}

/** Repetitions of one submit, and submits after the one that warms up. */
const REPEATS = 2;
const SUBMITS = 3;

/**
 * Milliseconds of one batch, the least of several: by timestamps where the device has them, else by the wall clock.
 * What takes three times as long as the best so far is not measured twice.
 */
async function time(
  gpu: Gpu,
  shape: ConvShape,
  batch: number,
  method: ConvMethod,
  best: number,
): Promise<number> {
  const arena = new Arena(gpu);
  try {
    const label = `timing of ${methodName(method)}`;
    const { filters, dispatches } = prepare(gpu, arena, shape, batch, method);
    await gpu.submit(label, filters);
    const once = await clocked(gpu, label, dispatches);
    if (once > 3 * best) return once;
    let least = once;
    const repeated = Array.from({ length: REPEATS }, () => dispatches).flat();
    for (let i = 0; i < SUBMITS; i++) {
      least = Math.min(least, (await clocked(gpu, label, repeated)) / REPEATS);
    }
    return least;
  } finally {
    arena.dispose();
  }
}

async function clocked(gpu: Gpu, label: string, dispatches: readonly Dispatch[]): Promise<number> {
  if (gpu.device.features.has('timestamp-query')) {
    let timings: readonly DispatchTiming[] = [];
    gpu.startProfile();
    try {
      await gpu.submit(label, dispatches);
    } finally {
      timings = gpu.stopProfile();
    }
    const ms = timings.reduce((sum, timing) => sum + timing.ms, 0);
    // Timestamps may be rounded to 0.1 ms, or be 0 altogether.
    if (ms >= 1) return ms;
  }
  const start = performance.now();
  await gpu.submit(label, dispatches);
  return performance.now() - start;
}

/** A layer with made-up values, its filters transformed in dispatches of their own as at load. */
function prepare(gpu: Gpu, arena: Arena, shape: ConvShape, batch: number, method: ConvMethod) {
  const { outChannels, height, width } = shape;
  const label = methodName(method);
  const { input: image, weights } = values(shape);
  const input = arena.take('input', 4 * batch * image.length);
  for (let n = 0; n < batch; n++) {
    gpu.write(input.buffer, image, 4 * n * image.length);
  }
  const packed = packConv(weights, new Float32Array(outChannels), shape, 'f32');
  const packedWeights = arena.upload('weights', packed.weights);
  const count = batch * outChannels * height * width;
  const output = arena.take('output', 4 * count);
  const transformed =
    method.kind === 'winograd'
      ? arena.take('filters', winogradFilterBytes(shape, method))
      : undefined;
  const filters =
    transformed && method.kind === 'winograd'
      ? [
          winogradFilters({
            label,
            shape,
            dtype: 'f32',
            weights: packedWeights,
            filters: transformed,
            precision: method.precision,
          }),
        ]
      : [];
  const dispatches = recordConv(
    {
      label,
      shape,
      method,
      batch,
      dtype: 'f32',
      weights: packedWeights,
      filters: transformed,
      bias: arena.upload('bias', packed.bias),
      input,
      output,
    },
    arena,
  );
  return { filters, dispatches, output: output.buffer, count };
}

/** A layer's input and weights, made up. */
function values({ inChannels, outChannels, height, width, kernel }: ConvShape) {
  const weights = made(outChannels * inChannels * kernel ** 2).map((x) => x / inChannels);
  return { input: made(inChannels * height * width), weights };
}

/** Values in [-1, 1) without a pattern: a 32-bit hash of the index. */
function made(count: number): Float32Array<ArrayBuffer> {
  const values = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    let x = Math.imul(i ^ (i >>> 16) ^ 0x9e3779b9, 0x7feb352d);
    x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
    values[i] = ((x ^ (x >>> 16)) >>> 8) * 2 ** -23 - 1;
  }
  return values;
}
