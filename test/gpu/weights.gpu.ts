import { Arena } from '../../src/gpu/arena';
import type { Gpu } from '../../src/gpu/gpu';
import type { WeightDtype } from '../../src/index';
import { LayeredCache, MemoryCache, type WeightCache } from '../../src/model/keep/cache';
import { type LocatedModel, openModel, type WeightsLocation } from '../../src/model/model';
import { elementCount, type WeightSource } from '../../src/model/weight-source';
import { compile } from '../../src/plan/compile';
import { loadWeights } from '../../src/runtime/load-weights';
import { Runner } from '../../src/runtime/runner';
import type { GpuCase } from '../harness/case';
import { assertClose, testValues } from '../harness/compare';
import { narrowManifest, narrowNetwork, narrowWeights } from '../harness/narrow-vgg';
import {
  type Files,
  type SafetensorsOptions,
  writeSafetensors,
  writeShardedSafetensors,
  writeTfjs,
} from '../harness/weight-writers';
import { forwardReference } from '../reference/score_cam';

/** A fixed picture, already normalised: every route gets the same numbers. */
const image = testValues(3 * 64 * 64, 11);

const FORMS: readonly WeightDtype[] = ['f32', 'f16', 'int8'];

function asFiles(files: Files): File[] {
  return Array.from(files, ([name, bytes]) => new File([bytes], name));
}

async function fixture(baseUrl: string, name: string): Promise<Blob> {
  const response = await fetch(`${baseUrl}/test/fixtures/${name}`);
  if (!response.ok) throw new Error(`${name}: ${response.status}`);
  return response.blob();
}

const timm: SafetensorsOptions = {
  rename: (name) =>
    name
      .replace('classifier.0', 'pre_logits.fc1')
      .replace('classifier.3', 'pre_logits.fc2')
      .replace('classifier.6', 'head.fc'),
  reshape: (name, [outputs = 0, inputs = 0, ...rest]) => {
    if (name === 'classifier.0.weight') return [outputs, inputs / 4, 2, 2];
    if (name === 'classifier.3.weight') return [outputs, inputs, 1, 1];
    return inputs === 0 ? [outputs] : [outputs, inputs, ...rest];
  },
};

/** Every way in which people have these weights. All hold the same f32 numbers. */
const routes: Readonly<Record<string, (baseUrl: string) => Promise<WeightsLocation>>> = {
  safetensors: async () => asBlob(await writeSafetensors(narrowWeights)),
  'sharded safetensors': async () => asFiles(await writeShardedSafetensors(narrowWeights, 3)),
  'safetensors of timm': async () => asBlob(await writeSafetensors(narrowWeights, timm)),
  'PyTorch zip': (baseUrl) => fixture(baseUrl, 'zip.pth'),
  'PyTorch legacy': (baseUrl) => fixture(baseUrl, 'legacy.pth'),
  'PyTorch checkpoint': (baseUrl) => fixture(baseUrl, 'checkpoint.pth'),
  'TensorFlow.js, Keras layout': async () =>
    asFiles(await writeTfjs(narrowWeights, narrowNetwork, { isBgr: true, shardBytes: 1000 })),
};

function asBlob(bytes: Uint8Array<ArrayBuffer>): Blob {
  return new File([bytes], 'model.safetensors');
}

/** A source's model as createExplainer would have it, its openings counted. */
function model(source: WeightSource, isKeras = false): LocatedModel & { opened: number } {
  const located = {
    manifest: {
      ...narrowManifest,
      weights: {
        format: 'tensorflowjs',
        file: 'model.json',
        ...(isKeras ? ({ channelOrder: 'bgr' } as const) : {}),
      },
    } as const,
    network: narrowNetwork,
    identity: 'narrow',
    opened: 0,
    async open() {
      located.opened++;
      return source;
    },
  };
  return located;
}

async function open(location: WeightsLocation): Promise<WeightSource> {
  return (await openModel(narrowManifest, undefined, { weights: location })).weights;
}

async function logitsOf(
  gpu: Gpu,
  located: LocatedModel,
  { dtype, cache }: { dtype: WeightDtype; cache?: WeightCache },
): Promise<{ logits: Float32Array; fromCache: boolean; notKept: string | undefined }> {
  const plan = compile(narrowNetwork, gpu.facts, { dtype });
  const { weights, facts } = await loadWeights(gpu, plan, located, { cache });
  const arena = new Arena(gpu);
  try {
    const runner = new Runner(gpu, plan, weights);
    const { logits } = await runner.forward(arena.upload('image', image), arena);
    return { logits, ...facts };
  } finally {
    arena.dispose();
    weights.dispose();
  }
}

function expectSame(what: string, found: ArrayLike<number>, expected: ArrayLike<number>): void {
  const [a, b] = [Array.from(found).join(), Array.from(expected).join()];
  if (a !== b) throw new Error(`${what}: ${a} instead of ${b}`);
}

/** The numbers a form stands for, worked out weight by weight from its definition. */
function rounded(form: WeightDtype): WeightSource {
  return {
    name: `rounded to ${form}`,
    tensors: narrowWeights.tensors,
    async read(name, start, count) {
      const { shape } = narrowWeights.tensors.get(name) ?? { shape: [] };
      const all = await narrowWeights.read(name, 0, elementCount(shape));
      const values =
        form === 'f32' || shape.length === 1
          ? all
          : form === 'int8' && shape.length === 2
            ? roundRows(all, shape[1] as number)
            : all.map(roundHalf);
      return values.slice(start, start + count);
    },
  };
}

function roundRows(values: Float32Array<ArrayBuffer>, row: number): Float32Array<ArrayBuffer> {
  return values.map((value, i) => {
    const own = values.subarray(i - (i % row), i - (i % row) + row);
    const scale = Math.fround(Math.max(...own.map(Math.abs)) / 127);
    return Math.round(value / scale) * scale;
  });
}

/** Nearest f16: 11 significant bits, the last of them 2^-24 at least. */
function roundHalf(value: number): number {
  if (value === 0) return 0;
  const step = 2 ** Math.max(Math.floor(Math.log2(Math.abs(value))) - 10, -24);
  const below = Math.floor(value / step);
  const rest = value / step - below;
  const up = rest > 0.5 || (rest === 0.5 && below % 2 !== 0);
  return (below + (up ? 1 : 0)) * step;
}

export const cases: GpuCase[] = [
  {
    name: 'every route gives the same logits, bit for bit, in every form',
    async run(gpu, { baseUrl }) {
      const notes: string[] = [];
      for (const dtype of FORMS) {
        const reference = await forwardReference(narrowNetwork, rounded(dtype), image);
        let first: Float32Array | undefined;
        for (const [name, route] of Object.entries(routes)) {
          const located = model(await open(await route(baseUrl)), name.includes('Keras'));
          const { logits } = await logitsOf(gpu, located, { dtype });
          first ??= logits;
          expectSame(`${name} as ${dtype}`, logits, first);
        }
        const expected = Array.from(reference.get('fc3') ?? []);
        // Sums of up to 72 products, eleven layers deep, in f32.
        notes.push(assertClose(dtype, first ?? [], expected, 2e-5));
      }
      return notes.join('; ');
    },
  },
  {
    name: 'a file in int8, f16 or bf16 is loaded as it is, and in other forms',
    async run(gpu) {
      const int8 = await open(asBlob(await writeSafetensors(narrowWeights, { dtype: 'I8' })));
      const half = await open(asBlob(await writeSafetensors(narrowWeights, { dtype: 'F16' })));
      // The same weights, once unpacked by the kernels and once beforehand.
      const packed = await logitsOf(gpu, model(half), { dtype: 'f16' });
      const unpacked = await logitsOf(gpu, model(half), { dtype: 'f32' });
      assertClose('f16 as f32', unpacked.logits, packed.logits, 2e-5);
      const bf16 = await open(asBlob(await writeSafetensors(narrowWeights, { dtype: 'BF16' })));
      const widened = await logitsOf(gpu, model(bf16), { dtype: 'f32' });
      const reference = await forwardReference(narrowNetwork, bf16, image);
      assertClose('bf16', widened.logits, Array.from(reference.get('fc3') ?? []), 2e-5);
      const asInt8 = await logitsOf(gpu, model(int8), { dtype: 'int8' });
      const asF32 = await logitsOf(gpu, model(int8), { dtype: 'f32' });
      return assertClose('int8 as f32', asF32.logits, asInt8.logits, 2e-3);
    },
  },
  {
    name: 'batch normalisation is folded into the convolutions',
    async run(gpu, { baseUrl }) {
      const folded = new Float32Array(
        await (await fixture(baseUrl, 'batch_norm_folded.f32')).arrayBuffer(),
      );
      const offsets = new Map<string, number>();
      let end = 0;
      for (const [name, { shape }] of narrowWeights.tensors) {
        offsets.set(name, end);
        end += elementCount(shape);
      }
      const reference: WeightSource = {
        name: 'folded by PyTorch',
        tensors: narrowWeights.tensors,
        read: async (name, start, count) => {
          const from = (offsets.get(name) ?? 0) + start;
          return folded.slice(from, from + count);
        },
      };
      const located = model(await open(await fixture(baseUrl, 'batch_norm.pth')));
      const { logits } = await logitsOf(gpu, located, { dtype: 'f32' });
      const expected = await forwardReference(narrowNetwork, reference, image);
      return assertClose('logits', logits, Array.from(expected.get('fc3') ?? []), 2e-5);
    },
  },
  {
    name: 'what was kept is loaded without the source, bit for bit, from every layout in every form',
    async run(gpu) {
      for (const isKeras of [false, true]) {
        const location = isKeras
          ? asFiles(await writeTfjs(narrowWeights, narrowNetwork, { isBgr: true }))
          : asBlob(await writeSafetensors(narrowWeights));
        for (const dtype of FORMS) {
          const cache = new MemoryCache();
          const located = model(await open(location), isKeras);
          const first = await logitsOf(gpu, located, { dtype, cache });
          const again = await logitsOf(gpu, located, { dtype, cache });
          const what = `${isKeras ? 'Keras' : 'torch'} ${dtype}`;
          if (first.fromCache || first.notKept) throw new Error(`${what}: ${first.notKept}`);
          if (!again.fromCache || located.opened !== 1) throw new Error(`${what}: opened again`);
          expectSame(what, again.logits, first.logits);
        }
      }
      return undefined;
    },
  },
  {
    name: "the browser's storage keeps a model; damaged, it is loaded anew",
    // What is kept is named by addresses without an origin.
    needs: ['caches', 'location'],
    async run(gpu) {
      const name = `test ${Math.random()}`;
      try {
        const storage = await caches.open(name);
        const cache = new LayeredCache(async () => storage, new MemoryCache(0));
        const located = model(narrowWeights);
        const first = await logitsOf(gpu, located, { dtype: 'int8', cache });
        if (first.notKept) throw new Error(first.notKept);
        const parts = (await storage.keys()).filter(({ url }) =>
          url.includes('classifier.0.weight'),
        );
        const part = parts.find(({ url }) => !url.includes('.scale')) as Request;
        const bytes = new Uint8Array(await ((await storage.match(part)) as Response).arrayBuffer());
        const again = await logitsOf(gpu, located, { dtype: 'int8', cache });
        if (!again.fromCache) throw new Error('not kept');
        expectSame('from storage', again.logits, first.logits);

        bytes[0] = (bytes[0] as number) ^ 1;
        await storage.put(part, new Response(bytes));
        const repaired = await logitsOf(gpu, located, { dtype: 'int8', cache });
        if (repaired.fromCache || located.opened !== 2) throw new Error('used what was damaged');
        expectSame('loaded anew', repaired.logits, first.logits);
        const last = await logitsOf(gpu, located, { dtype: 'int8', cache });
        if (!last.fromCache) throw new Error('not kept anew');
      } finally {
        await caches.delete(name);
      }
      return undefined;
    },
  },
  {
    name: 'a file that proves to be another leaves nothing on the GPU nor in the cache',
    async run(gpu) {
      const cache = new MemoryCache();
      const located = model({
        ...narrowWeights,
        verify: async () => {
          throw new Error('another file');
        },
      });
      const before = gpu.allocatedBytes;
      const plan = compile(narrowNetwork, gpu.facts, { dtype: 'f16' });
      const failed = await loadWeights(gpu, plan, located, { cache }).catch(String);
      if (failed !== 'Error: another file') throw new Error(`${failed}`);
      if (gpu.allocatedBytes !== before) throw new Error(`${gpu.allocatedBytes} bytes left`);
      if (!(await cache.fits(192 * 1024 * 1024))) throw new Error('parts are left in the cache');
      return undefined;
    },
  },
  {
    name: 'a Keras model needs a manifest that says its channel order',
    async run(gpu) {
      const files = asFiles(await writeTfjs(narrowWeights, narrowNetwork));
      const plan = compile(narrowNetwork, gpu.facts);
      const failed = await loadWeights(gpu, plan, model(await open(files)), {}).catch(String);
      if (!String(failed).includes('channelOrder')) throw new Error(`${failed}`);
      return undefined;
    },
  },
];
