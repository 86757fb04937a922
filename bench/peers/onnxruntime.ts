/// onnxruntime-web, imported from where npm put it: no type and no bundler knows of the package, which is
/// there only after the first `npm run bench -- --peers`.
import type { Model } from '../../src/model/model';
import type { Ready } from './contender';
import { externalData, INPUT, OUTPUT, onnxModel, WEIGHTS_FILE } from './onnx';
import { packageUrl } from './package-url';

interface OrtTensor {
  readonly data: Float32Array;
}

/** The little of its API that is used. */
export interface Ort {
  readonly env: {
    readonly wasm: { numThreads?: number };
    readonly webgpu: { powerPreference?: string };
  };
  readonly Tensor: new (type: 'float32', data: Float32Array, shape: readonly number[]) => OrtTensor;
  readonly InferenceSession: {
    create(
      model: Uint8Array,
      options: {
        executionProviders: readonly string[];
        externalData: readonly { path: string; data: Uint8Array }[];
      },
    ): Promise<{ run(feeds: Record<string, OrtTensor>): Promise<Record<string, OrtTensor>> }>;
  };
}

/** The modules that the package exports as onnxruntime-web/webgpu and onnxruntime-web/wasm. */
const MODULES = {
  webgpu: 'ort.webgpu.bundle.min.mjs',
  wasm: 'ort.wasm.bundle.min.mjs',
} as const;

export async function prepareOnnxRuntime(model: Model, backend: 'webgpu' | 'wasm'): Promise<Ready> {
  const ort = (await import(
    /* @vite-ignore */ packageUrl(`onnxruntime-web/dist/${MODULES[backend]}`)
  )) as Ort;
  // Its default is half of the cores.
  ort.env.wasm.numThreads = navigator.hardwareConcurrency;
  if (backend === 'webgpu') ort.env.webgpu.powerPreference = 'high-performance';
  const run = await onnxRunner(ort, model, backend);
  // It sets 1 where threads are not to be had.
  return { run, ...(backend === 'wasm' ? { threads: ort.env.wasm.numThreads ?? 1 } : {}) };
}

/** A session of its own for the model; the function takes the normalised image and gives the logits. */
export async function onnxRunner(
  ort: Ort,
  { network, weights }: Pick<Model, 'network' | 'weights'>,
  backend: 'webgpu' | 'wasm',
): Promise<Ready['run']> {
  const { channels, height, width } = network.input;
  const session = await ort.InferenceSession.create(onnxModel(network), {
    executionProviders: [backend],
    externalData: [{ path: WEIGHTS_FILE, data: await externalData(network, weights) }],
  });
  return async (input) => {
    const image = new ort.Tensor('float32', input, [1, channels, height, width]);
    const { [OUTPUT]: logits } = await session.run({ [INPUT]: image });
    if (!logits) throw new Error(`onnxruntime-web gave no output "${OUTPUT}".`);
    return logits.data;
  };
}
