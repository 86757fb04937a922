import { ScoreCamError } from '../errors';
import { adapterKey } from '../gpu/adapter_key';
import { Arena } from '../gpu/arena';
import type { DeviceFacts } from '../gpu/facts';
import type { Gpu } from '../gpu/gpu';
import { packConv } from '../kernels/convolution/conv';
import type { ConvShape } from '../kernels/convolution/conv_kernel';
import { filterBytes, transformFilters } from '../kernels/winograd/transformed';
import type { Network } from '../model/network';
import type { Precision, StoredDtype } from '../numbers/dtypes';
import { maskedPasses, planBatches } from '../plan/batches';
import { candidatesFor, methodName } from '../plan/candidates';
import { compile, tunableShapes } from '../plan/compile';
import { type ConvMethod, sizesKey } from '../plan/conv_choice';
import { convDevice } from '../plan/device';
import { suits, TUNING_VERSION } from '../plan/known-tuning';
import type { ConvTuning, TunedLayer } from '../plan/tuning-types';
import { recordConv } from './record-conv';
import { Stopwatch } from './stopwatch';

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
  /** Of the same kind of GPU; shapes that it has, by the methods that this device has, are not measured again. */
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
  const key = adapterKey(gpu.adapter, gpu.abilities);
  const kept = known && suits(known, key, precision) ? known.layers : {};
  const missing = tunableShapes(network).filter(
    (shape) => !hasTried(kept[sizesKey(shape)], candidatesFor(shape, device)),
  );
  const candidates = missing.map((shape) => candidatesFor(shape, device));
  const total = candidates.flat().length;
  const batch = missing.length > 0 ? batchOf(gpu, network, options) : 0;
  const layers: Record<string, TunedLayer> = { ...kept };
  // A method that is right on a small case is right: shapes differ in sizes only.
  const verdicts = new Map<string, string | undefined>();
  const expected = new Map<number, Float64Array>();
  const stopwatch = new Stopwatch(gpu);
  let done = 0;
  onProgress?.(0, total);
  for (const [i, shape] of missing.entries()) {
    const measured: { method: string; ms?: number; refused?: string }[] = [];
    for (const candidate of candidates[i] as ConvMethod[]) {
      signal?.throwIfAborted();
      const method = methodName(candidate);
      if (!verdicts.has(method)) {
        const small = smallFor(candidate);
        const known = expected.get(small.kernel) ?? convolved(small);
        expected.set(small.kernel, known);
        verdicts.set(method, await fault(gpu, candidate, known));
      }
      const refused = verdicts.get(method);
      const best = Math.min(...measured.map(({ ms = Infinity }) => ms));
      if (refused !== undefined) measured.push({ method, refused });
      else measured.push({ method, ms: await time(stopwatch, shape, batch, candidate, best) });
      done++;
      onProgress?.(done, total);
    }
    const [fastest] = measured
      .filter(({ ms }) => ms !== undefined)
      .sort((a, b) => (a.ms as number) - (b.ms as number));
    // Without any that is right the table decides, and the tuning says why.
    layers[sizesKey(shape)] = { method: fastest?.method ?? '', measured };
  }
  return { version: TUNING_VERSION, adapter: key, precision, layers };
}

/** Whether a layer was measured by a device with the same methods; another's limits and features are not this one's. */
function hasTried(layer: TunedLayer | undefined, candidates: readonly ConvMethod[]): boolean {
  const tried = layer?.measured.map(({ method }) => method);
  return tried?.join() === candidates.map(methodName).join();
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
  activation: 0,
  pool: false,
};

/**
 * Largest difference from f64, over the largest output: ten times what is measured for F(4x4, 3x3) in
 * few channels (docs/gpu-kernels.md), a hundredth of what a wrong index makes.
 */
const DIFFERENCE: Readonly<Record<StoredDtype, number>> = { f32: 2e-5, f16: 3e-2 };

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
    const allowed = DIFFERENCE[method.kind === 'direct' ? 'f32' : method.precision];
    return off <= allowed * largest
      ? undefined
      : `differs by ${(off / largest).toExponential(1)} from f64, may differ by ${allowed}`;
  } catch (error) {
    // A device that is lost or disposed of is no fault of the method.
    if (!(error instanceof ScoreCamError) || !['kernel', 'limit'].includes(error.code)) throw error;
    return error.message;
  }
}

/** Quads compute 1x1 convolutions alone. */
function smallFor(method: ConvMethod): ConvShape {
  return method.kind === 'direct' && method.tiling === 'quads' ? { ...SMALL, kernel: 1 } : SMALL;
}

/** The small case in f64, straight from the definition. */
function convolved(shape: ConvShape): Float64Array {
  const { inChannels, outChannels, height, width, kernel } = shape;
  const { input, weights } = values(shape);
  const border = (kernel - 1) / 2;
  const output = new Float64Array(outChannels * height * width);
  for (let o = 0; o < outChannels; o++) {
    const plane = output.subarray(o * height * width, (o + 1) * height * width);
    for (let c = 0; c < inChannels; c++) {
      const from = input.subarray(c * height * width, (c + 1) * height * width);
      for (let tap = 0; tap < kernel ** 2; tap++) {
        const weight = weights[(o * inChannels + c) * kernel ** 2 + tap] as number;
        const [down, across] = [Math.floor(tap / kernel) - border, (tap % kernel) - border];
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
    const { filters, dispatches, output, count } = prepare(gpu, arena, smallFor(method), 1, method);
    await gpu.submit(`check of ${methodName(method)}`, [...filters, ...dispatches]);
    return await gpu.read(output, count);
  } finally {
    arena.dispose();
  }
}

/** Milliseconds of one batch. */
async function time(
  stopwatch: Stopwatch,
  shape: ConvShape,
  batch: number,
  method: ConvMethod,
  best: number,
): Promise<number> {
  const { gpu } = stopwatch;
  const arena = new Arena(gpu);
  try {
    const label = `timing of ${methodName(method)}`;
    const { filters, dispatches } = prepare(gpu, arena, shape, batch, method);
    await gpu.submit(label, [...filters, ...dispatches]);
    return await stopwatch.time(label, dispatches, best);
  } finally {
    arena.dispose();
  }
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
  const kept = method.kind === 'direct' ? undefined : method;
  const filters = kept && arena.take('filters', filterBytes(shape, kept));
  const load =
    filters && kept
      ? [
          transformFilters({
            label,
            shape,
            dtype: 'f32',
            method: kept,
            weights: packedWeights,
            filters,
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
      filters,
      bias: arena.upload('bias', packed.bias),
      input,
      output,
    },
    arena,
  );
  return { filters: load, dispatches, output: output.buffer, count };
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
