import { afterEach, describe, expect, it } from 'vitest';
import { Arena } from '../src/gpu/arena';
import { Gpu } from '../src/gpu/gpu';
import { winogradProductWorkgroupKernels } from '../src/kernels/winograd/winograd_product';
import type { ManifestLayer } from '../src/model/manifest';
import {
  type ConvDevice,
  candidatesFor,
  chooseConv,
  methodName,
  sizesKey,
} from '../src/plan/conv_choice';
import { NetworkWeights } from '../src/runtime/network-weights';
import { Runner } from '../src/runtime/runner';
import {
  type ConvTuning,
  shapesOf,
  suits,
  tuneConvolutions,
  tunedMethods,
} from '../src/runtime/tuning';
import { checkedTuning, keepTuning, keptTuning } from '../src/runtime/tuning-cache';
import { testValues } from './harness/compare';
import { lacking, openDawn } from './harness/dawn';
import { smallModel } from './harness/small-model';
import { forwardReference } from './reference/score_cam';

/*
 * Measuring on the device, and whole networks by the methods that GPUs take. The device is Mesa's lavapipe, which may
 * be told to behave as a GPU: the kernels are the same, their times mean nothing.
 */

const conv = (name: string, outChannels: number): ManifestLayer => {
  const tensors = { weight: `${name}.weight`, bias: `${name}.bias` };
  return { type: 'conv', name, outChannels, kernel: 3, activation: 'relu', ...tensors };
};

/** Wide enough for Winograd on GPUs behind the first two convolutions, in f16 behind the first. */
const { network, weights } = smallModel({
  layers: [
    conv('conv1', 16),
    conv('conv2', 64),
    { type: 'maxpool', name: 'pool2' },
    conv('conv3', 64),
    { type: 'maxpool', name: 'pool3' },
    {
      type: 'linear',
      name: 'fc',
      outFeatures: 7,
      activation: undefined,
      weight: 'fc.weight',
      bias: 'fc.bias',
    },
  ],
  targetLayer: 'conv3',
  width: 14,
  height: 10,
});
const image = testValues(3 * 10 * 14, 4) as Float32Array<ArrayBuffer>;

const MIB = 1024 * 1024;
const budget = { memoryBudget: 256 * MIB, batch: 1 };

const dawn = await openDawn('backend=vulkan');
const reason = await lacking(dawn, ['shader-f16']);
if (reason !== undefined) console.log(`Tuning is not tested: ${reason}.`);

let gpu: Gpu | undefined;
afterEach(() => {
  gpu?.dispose();
  gpu = undefined;
});

async function device(as: 'software' | 'gpu', precision: 'f32' | 'f16' = 'f32'): Promise<Gpu> {
  const adapter = (await dawn.gpu?.requestAdapter()) as GPUAdapter;
  const made = await Gpu.create({ adapter });
  Object.assign(made.adapter, { isFallback: as === 'software' });
  made.precision = precision;
  gpu = made;
  return made;
}

async function logitsOf(own: Gpu): Promise<Float32Array> {
  const loaded = await NetworkWeights.load(own, network, weights, { dtype: 'f32' });
  const arena = new Arena(own);
  try {
    const runner = new Runner(own, network, loaded);
    return (await runner.forward(arena.upload('image', image), arena)).logits;
  } finally {
    arena.dispose();
    loaded.dispose();
  }
}

const expected = reason === undefined ? await forwardReference(network, weights, image) : new Map();
const reference = Array.from((expected.get('fc') ?? []) as ArrayLike<number>);

/** Largest error over the largest logit. */
function errorOf(logits: Float32Array): number {
  const largest = Math.max(...reference.map(Math.abs));
  return (
    Math.max(...reference.map((value, i) => Math.abs(value - (logits[i] as number)))) / largest
  );
}

describe.skipIf(reason !== undefined)('a network by the methods of GPUs', () => {
  it('takes Winograd in workgroup memory where channels pay for it', async () => {
    const own = await device('gpu');
    const kinds = shapesOf(network).map((shape) => chooseConv(shape, own.convolutions).kind);
    expect(kinds).toEqual(['direct', 'winograd']);
  });

  it('gives the logits of the f64 reference', async () => {
    expect(errorOf(await logitsOf(await device('gpu')))).toBeLessThan(1e-5);
    gpu?.dispose();
    expect(errorOf(await logitsOf(await device('software')))).toBeLessThan(1e-5);
  });

  it('and in f16 within what layers of 0.16 % make', async () => {
    const error = errorOf(await logitsOf(await device('gpu', 'f16')));
    expect(error).toBeLessThan(2e-2);
    // It is f16, not f32.
    expect(error).toBeGreaterThan(1e-5);
  });
});

describe.skipIf(reason !== undefined)('tuning', () => {
  it('measures every way of every shape and finds all of them right', async () => {
    for (const [as, precision] of [
      ['software', 'f32'],
      ['gpu', 'f32'],
      ['gpu', 'f16'],
    ] as const) {
      const own = await device(as, precision);
      const steps: [number, number][] = [];
      const onProgress = (...step: [number, number]) => steps.push(step);
      const tuning = await tuneConvolutions(own, network, { ...budget, onProgress });
      const shapes = shapesOf(network);
      expect(Object.keys(tuning.layers)).toEqual(shapes.map(sizesKey));
      for (const shape of shapes) {
        const layer = tuning.layers[sizesKey(shape)];
        const names = candidatesFor(shape, own.convolutions).map(methodName);
        expect(layer?.measured.map(({ method }) => method)).toEqual(names);
        for (const { ms, refused } of layer?.measured ?? []) {
          expect(refused).toBeUndefined();
          expect(ms).toBeGreaterThan(0);
        }
        const least = Math.min(...(layer?.measured ?? []).map(({ ms }) => ms as number));
        const best = layer?.measured.find(({ method }) => method === layer.method);
        expect(best?.ms).toBe(least);
      }
      const total = steps[0]?.[1] as number;
      expect(steps.map(([done]) => done)).toEqual(Array.from({ length: total + 1 }, (_, i) => i));
      // Nothing is left behind, and the network computes by what was found.
      expect(own.allocatedBytes).toBe(0);
      own.tuned = tunedMethods(tuning, network, own.convolutions);
      expect(own.tuned.size).toBe(shapes.length);
      expect(errorOf(await logitsOf(own))).toBeLessThan(precision === 'f32' ? 1e-5 : 2e-2);
      own.dispose();
    }
  });

  it('measures only what is not known', async () => {
    const own = await device('software');
    const known = await tuneConvolutions(own, network, budget);
    let total = -1;
    const onProgress = (_: number, all: number) => {
      total = all;
    };
    expect(await tuneConvolutions(own, network, { ...budget, known, onProgress })).toEqual(known);
    expect(total).toBe(0);
    const [first] = shapesOf(network);
    const { [sizesKey(first as never)]: _, ...rest } = known.layers;
    await tuneConvolutions(own, network, {
      ...budget,
      known: { ...known, layers: rest },
      onProgress,
    });
    expect(total).toBe(candidatesFor(first as never, own.convolutions).length);
    const foreign = { ...known, adapter: 'another' };
    await tuneConvolutions(own, network, { ...budget, known: foreign, onProgress });
    expect(total).toBeGreaterThan(candidatesFor(first as never, own.convolutions).length);
  });

  it('refuses a kernel that computes something else', async () => {
    const own = await device('gpu');
    const kernel = winogradProductWorkgroupKernels.f32 as { code: string };
    const right = kernel.code;
    // One product of many, in the last corner of each invocation's outputs.
    kernel.code = right.replace('s71 += ub.w', 's71 += ub.z');
    expect(kernel.code).not.toBe(right);
    try {
      const tuning = await tuneConvolutions(own, network, budget);
      for (const { method, measured } of Object.values(tuning.layers)) {
        expect(method).toMatch(/^direct/);
        for (const { method: name, refused } of measured) {
          if (name.startsWith('F(')) expect(refused).toMatch(/^differs by/);
          else expect(refused).toBeUndefined();
        }
      }
    } finally {
      kernel.code = right;
    }
  });

  it('refuses matrix units that the device does not have after all', async () => {
    const own = await device('gpu', 'f16');
    Object.assign(own, { units: [{ m: 16, n: 16, k: 16, subgroupMaxSize: 8 }] });
    const tuning = await tuneConvolutions(own, network, budget);
    const tried = Object.values(tuning.layers)
      .flatMap(({ measured }) => measured)
      .filter(({ method }) => method.includes('matrix'));
    expect(tried.map(({ method }) => method)).toEqual([
      'F(4x4) f16, matrix 16x16x16',
      'F(4x4) f16, matrix 16x16x16',
    ]);
    for (const { refused } of tried) expect(refused).toMatch(/did not compile/);
    expect(Object.values(tuning.layers).some(({ method }) => method.includes('matrix'))).toBe(
      false,
    );
  });

  it('stops on abort and leaves nothing', async () => {
    const own = await device('software');
    const controller = new AbortController();
    const onProgress = (done: number) => {
      if (done === 2) controller.abort(new Error('enough'));
    };
    const { signal } = controller;
    await expect(tuneConvolutions(own, network, { ...budget, onProgress, signal })).rejects.toThrow(
      'enough',
    );
    expect(own.allocatedBytes).toBe(0);
  });
});

describe('a tuning', () => {
  const adapter = {
    vendor: 'v',
    architecture: 'a',
    device: 'd',
    description: 'some GPU',
    isFallback: false,
  };
  const on: ConvDevice = { isFallback: false };
  const [shape] = shapesOf(network).slice(1);
  if (!shape) throw new Error('no shape');
  const of = (method: string): ConvTuning => ({
    version: 2,
    adapter: 'v/a/d/some GPU',
    precision: 'f32',
    layers: { [sizesKey(shape)]: { method, measured: [] } },
  });

  it('suits the adapter, precision and version it was made for', () => {
    const tuning = of('direct, workgroup 64x64');
    expect(suits(tuning, { adapter, precision: 'f32' })).toBe(true);
    expect(suits(tuning, { adapter, precision: 'f16' })).toBe(false);
    expect(suits(tuning, { adapter: { ...adapter, device: 'e' }, precision: 'f32' })).toBe(false);
    expect(suits({ ...tuning, version: 0 }, { adapter, precision: 'f32' })).toBe(false);
  });

  it('changes the choice, and only to a method that the device has', () => {
    const tuned = (method: string) => ({ ...on, tuned: tunedMethods(of(method), network, on) });
    const name = (method: string) => methodName(chooseConv(shape, tuned(method)));
    expect(name('direct, workgroup 64x64')).toBe('direct, workgroup 64x64');
    expect(name('F(4x4) f32, workgroup 128x64')).toBe('F(4x4) f32, workgroup 128x64');
    const untuned = methodName(chooseConv(shape, on));
    for (const unknown of ['F(4x4) f16, workgroup 64x64', 'F(4x4) f32, matrix 16x16x16', '', 'x']) {
      expect(name(unknown)).toBe(untuned);
    }
  });

  it('prefers a method that lists tiles where skipping makes up for it', () => {
    const [F4, DIRECT] = ['F(4x4) f32, workgroup 64x64', 'direct, workgroup 64x64'];
    const shapes = shapesOf(network);
    const chosen = (times: readonly (readonly [f4: number, direct: number])[], own = network) => {
      const layers = times.map(([f4, direct], i) => {
        const measured = [
          { method: F4, ms: f4 },
          { method: DIRECT, ms: direct },
        ];
        return [
          sizesKey(shapes[i] as never),
          { method: f4 <= direct ? F4 : DIRECT, measured },
        ] as const;
      });
      const tuning: ConvTuning = { ...of(''), layers: Object.fromEntries(layers) };
      return [...tunedMethods(tuning, own, on).values()].map(methodName);
    };
    // F(4x4) takes 0.8 of its time where masks are skipped.
    expect(
      chosen([
        [10, 8.1],
        [10, 8.1],
      ]),
    ).toEqual([F4, F4]);
    expect(
      chosen([
        [10, 8.1],
        [10, 7.9],
      ]),
    ).toEqual([F4, DIRECT]);
    // Behind a layer that lists nothing there is nothing to be skipped.
    expect(
      chosen([
        [10, 7.9],
        [10, 8.1],
      ]),
    ).toEqual([DIRECT, DIRECT]);
    // Nor behind a leaky ReLU, nor at an eighth of the image's resolution.
    const layers = network.layers.map((layer) =>
      layer.type === 'conv' ? { ...layer, slope: 0.1 } : layer,
    );
    expect(
      chosen(
        [
          [10, 8.1],
          [10, 8.1],
        ],
        { ...network, layers },
      ),
    ).toEqual([DIRECT, DIRECT]);
    const input = { ...network.input, height: 41 };
    expect(
      chosen(
        [
          [10, 8.1],
          [10, 8.1],
        ],
        { ...network, input },
      ),
    ).toEqual([DIRECT, DIRECT]);
    // Where it was not measured, the fastest it is.
    const tuning = {
      ...of(''),
      layers: { [sizesKey(shapes[0] as never)]: { method: DIRECT, measured: [] } },
    };
    expect([...tunedMethods(tuning, network, on).values()].map(methodName)).toEqual([DIRECT]);
  });

  it('is kept and found again, by adapter and precision', async () => {
    const kept = new Map<string, string>();
    const cache = {
      get: (key: string) => kept.get(key),
      put: (key: string, value: string) => void kept.set(key, value),
    };
    const tuning = of('direct, workgroup 64x64');
    await keepTuning(cache, adapter, tuning);
    expect(await keptTuning(cache, adapter, 'f32')).toEqual(tuning);
    expect(await keptTuning(cache, adapter, 'f16')).toBeUndefined();
    expect(await keptTuning(cache, { ...adapter, device: 'e' }, 'f32')).toBeUndefined();
  });

  it('is not there where a cache fails or holds something else', async () => {
    const failing = {
      get: () => {
        throw new Error('no storage');
      },
      put: () => Promise.reject(new Error('full')),
    };
    await keepTuning(failing, adapter, of(''));
    expect(await keptTuning(failing, adapter, 'f32')).toBeUndefined();
    for (const text of [
      '',
      '{',
      'null',
      '[]',
      '{"version":1}',
      '{"version":1,"layers":{"a":{}}}',
    ]) {
      const cache = { get: () => text, put: () => {} };
      expect(await keptTuning(cache, adapter, 'f32')).toBeUndefined();
    }
    expect(checkedTuning(of('x'))).toEqual(of('x'));
    expect(checkedTuning({ ...of('x'), precision: 'f8' })).toBeUndefined();
    expect(checkedTuning(undefined)).toBeUndefined();
  });
});
