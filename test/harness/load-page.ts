/// Runs in headless Chrome: loads models over the network with the public API, and says what became of it.
import { messageOf } from '../../cli/error-text';
import { browserCache, createExplainer, ScoreCamError, type WeightDtype } from '../../src/index';

export interface LoadRequest {
  readonly model: string;
  readonly dtype?: WeightDtype;
  /** Name of the browser's storage to keep the weights in. */
  readonly cache?: string;
  /** Aborts at the first progress. */
  readonly abort?: boolean;
  /** Does away with the device before anything is computed. */
  readonly lose?: boolean;
  /** Computes nothing: kernels take a software adapter seconds to compile. */
  readonly loadOnly?: boolean;
}

export interface LoadReport {
  /** Of the error, '' if there was none; `other` for one that is not the library's. */
  readonly code: string;
  readonly message: string;
  /** Class probabilities of a fixed picture, by class; empty unless they were asked for. */
  readonly probabilities: readonly number[];
  readonly fromCache: boolean;
  readonly progress: readonly { done: number; total: number; rate: number }[];
  /** Paths of what the storage holds afterwards. */
  readonly kept: readonly string[];
  /** Bytes of GPU buffers that are alive afterwards, the explainer disposed of. */
  readonly gpuBytes: number;
}

async function loadModel({
  model,
  dtype,
  cache,
  abort,
  lose,
  loadOnly,
}: LoadRequest): Promise<LoadReport> {
  const device = await countingDevice();
  const devices = [device];
  const progress: { done: number; total: number; rate: number }[] = [];
  const controller = new AbortController();
  let [code, message, fromCache] = ['', '', false];
  let probabilities: number[] = [];
  try {
    const explainer = await createExplainer({
      model,
      device: device.device,
      async getDevice() {
        const another = await countingDevice();
        devices.push(another);
        return another.device;
      },
      retryDelays: [0, 0, 0],
      signal: controller.signal,
      onProgress: ({ done, total, rate }) => {
        progress.push({ done, total, rate });
        if (abort) controller.abort(new Error('enough'));
      },
      ...(dtype ? { dtype } : {}),
      ...(cache ? { cache: browserCache(cache) } : {}),
    });
    fromCache = explainer.model.weights.fromCache;
    if (lose) {
      device.device.destroy();
      await device.device.lost;
    }
    const ranked = loadOnly ? [] : await explainer.classify(picture());
    probabilities = ranked.sort((a, b) => a.index - b.index).map((one) => one.probability);
    explainer.dispose();
  } catch (error) {
    code = error instanceof ScoreCamError ? error.code : 'other';
    message = messageOf(error);
  }
  const keys = cache ? await (await caches.open(cache)).keys() : [];
  const kept = keys.map(({ url }) => new URL(url).pathname);
  const gpuBytes = devices.reduce((sum, each) => sum + each.bytes(), 0);
  for (const each of devices) each.device.destroy();
  return { code, message, probabilities, fromCache, progress, kept, gpuBytes };
}

/** A device that counts the bytes of its buffers, whoever makes and destroys them. */
async function countingDevice(): Promise<{ device: GPUDevice; bytes(): number }> {
  const device = await (await navigator.gpu.requestAdapter())?.requestDevice();
  if (!device) throw new Error('no adapter');
  const alive = new Map<GPUBuffer, number>();
  const create = device.createBuffer.bind(device);
  device.createBuffer = (descriptor) => {
    const buffer = create(descriptor);
    const destroy = buffer.destroy.bind(buffer);
    alive.set(buffer, descriptor.size);
    buffer.destroy = () => {
      alive.delete(buffer);
      return destroy();
    };
    return buffer;
  };
  return { device, bytes: () => [...alive.values()].reduce((sum, size) => sum + size, 0) };
}

/** 64x64, of many colours. */
function picture(): ImageData {
  const data = new Uint8ClampedArray(64 * 64 * 4);
  for (let i = 0; i < data.length; i++) data[i] = i % 4 === 3 ? 255 : (i * 7919) % 256;
  return new ImageData(data, 64, 64);
}

declare global {
  interface Window {
    loadModel: typeof loadModel;
  }
}
window.loadModel = loadModel;
