import { afterAll, describe, expect, it, vi } from 'vitest';
import { normalise } from '../src/explain/image';
import { Arena } from '../src/gpu/arena';
import { Gpu } from '../src/gpu/gpu';
import { DEFAULT_LIMITS, KERNEL_NEEDS } from '../src/gpu/limits';
import { createExplainer, type ExplainOptions } from '../src/index';
import { conv, packConv } from '../src/kernels/convolution/conv';
import { FUSED_4X4_INVOCATIONS } from '../src/kernels/winograd/winograd_fused';
import { compile } from '../src/plan/compile';
import { NetworkWeights } from '../src/runtime/network-weights';
import { Runner } from '../src/runtime/runner';
import { cases as skippingCases } from './gpu/skipping.gpu';
import { assertClose, testValues } from './harness/compare';
import { lacking, openDawn } from './harness/dawn';
import { smallImage, smallLayers, smallModel } from './harness/small-model';
import { backwardReference } from './reference/backward';
import { camReference } from './reference/cams';
import { forwardReference, scoreCamReference } from './reference/score_cam';

/*
 * A device with exactly the limits of WebGPU's compatibility mode, which a device gets that asks for no others. It is
 * Mesa's lavapipe, and says of itself here that it is no software adapter: what computes are the kernels of GPUs, with
 * their workgroup memory and barriers, which are what the limits bind.
 */

const dawn = await openDawn('backend=vulkan');
const reason = await lacking(dawn, []);
if (reason !== undefined) console.log(`Small devices are not tested: ${reason}.`);

// All that an explanation wants of a browser.
vi.stubGlobal(
  'ImageData',
  class {
    constructor(
      readonly data: Uint8ClampedArray,
      readonly width: number,
      readonly height: number,
    ) {}
  },
);

/** Names of the kernels of all pipelines that a device has made. */
const made: string[] = [];

async function smallDevice(): Promise<GPUDevice> {
  const options = { featureLevel: 'compatibility' } as const;
  const adapter = (await dawn.gpu?.requestAdapter(options)) as GPUAdapter;
  const device = await adapter.requestDevice();
  const compile = device.createComputePipelineAsync.bind(device);
  device.createComputePipelineAsync = (descriptor) => {
    made.push(descriptor.label ?? '');
    return compile(descriptor);
  };
  return Object.defineProperty(device, 'adapterInfo', {
    value: { vendor: 'mesa', isFallbackAdapter: false },
  });
}

const gpu = reason === undefined ? await Gpu.create({ device: await smallDevice() }) : undefined;
const own = gpu as Gpu;
afterAll(() => gpu?.device.destroy());

const model = smallModel({ layers: smallLayers.wide, width: 26, height: 22 });
const { network, manifest, weights } = model;
const image = () => smallImage(26, 22);

/** As for the small networks in GPU cases: hundreds of roundings. */
const TOLERANCE = 1e-4;

describe.skipIf(reason !== undefined)('a device in compatibility mode', () => {
  it('has the limits that kernels keep to, no more', async () => {
    for (const [name, limit] of Object.entries({ ...KERNEL_NEEDS, ...DEFAULT_LIMITS })) {
      expect(own.device.limits[name as keyof GPUSupportedLimits], name).toBe(limit);
    }
    expect(own.device.features.has('core-features-and-limits')).toBe(false);
    expect(own.facts).toMatchObject({ maxInvocations: 128, isFallback: false });
  });

  it('is asked for where there is no other, and then for what its adapter has beyond', async () => {
    const asked: unknown[] = [];
    const gpu: Pick<GPU, 'requestAdapter'> = {
      requestAdapter: async (options) => {
        asked.push(options?.featureLevel);
        return options?.featureLevel ? ((await dawn.gpu?.requestAdapter(options)) ?? null) : null;
      },
    };
    vi.stubGlobal('navigator', { gpu });
    const { device, facts } = await Gpu.create();
    expect(asked).toEqual([undefined, 'compatibility']);
    expect(device.features.has('core-features-and-limits')).toBe(false);
    expect(facts.maxInvocations).toBe(FUSED_4X4_INVOCATIONS);
    device.destroy();
  });

  it('refuses a larger tile', async () => {
    const shape = { inChannels: 8, outChannels: 8, height: 8, width: 8, kernel: 3 } as const;
    const arena = new Arena(own);
    const packed = packConv(testValues(8 * 72, 1), testValues(8, 2), shape, 'f32');
    const dispatch = (rows: number) =>
      conv('workgroup', {
        label: 'large',
        shape: { ...shape, activation: 0, pool: false },
        dtype: 'f32',
        batch: 1,
        input: arena.take('input', 4 * 8 * 64),
        weights: arena.upload('weights', packed.weights),
        bias: arena.upload('bias', packed.bias),
        output: arena.take('output', 4 * 8 * 64),
        choice: { tile: { rows, cols: 16 } },
      });
    await expect(own.submit('large', [dispatch(16)])).rejects.toThrow(
      /conv_workgroup_f32 \(large\) did not compile: .*256.*128/s,
    );
    await own.submit('large', [dispatch(8)]);
    arena.dispose();
  });

  it('computes a forward pass', async () => {
    const plan = compile(network, own.facts);
    const loaded = await NetworkWeights.load(own, plan, weights);
    const arena = new Arena(own);
    const input = normalise(image(), manifest);
    const { logits } = await new Runner(own, plan, loaded).forward(
      arena.upload('image', input as Float32Array<ArrayBuffer>),
      arena,
    );
    const expected = (await forwardReference(network, weights, input)).get('fc');
    assertClose('logits', logits, expected as Float64Array, TOLERANCE);
    arena.dispose();
    loaded.dispose();
  });

  const explained = async (options: ExplainOptions) => {
    const explainer = await createExplainer({ model, device: own.device });
    try {
      return await explainer.explain(image(), options);
    } finally {
      explainer.dispose();
    }
  };

  it('explains by Score-CAM', async () => {
    const { scores, map, channels, constantChannels } = await explained({ class: 2 });
    const input = normalise(image(), manifest);
    const expected = await scoreCamReference(network, weights, input, 'conv3');
    expect(constantChannels).toEqual(expected.constantChannels);
    expect(channels.evaluated).toBeGreaterThan(32);
    expected.scores.forEach((logits, k) => {
      if (logits) assertClose(`mask ${k}`, scores.subarray(7 * k, 7 * (k + 1)), logits, TOLERANCE);
    });
    assertClose('map', map.data, expected.maps[2]?.data ?? [], 10 * TOLERANCE);
  });

  it('explains by Grad-CAM', async () => {
    const { map } = await explained({ class: 2, method: 'grad-cam', of: 'logit' });
    const input = normalise(image(), manifest);
    const maps = (await forwardReference(network, weights, input)).get('conv3') ?? [];
    const score = { classIndex: 2, of: 'logit' } as const;
    const gradient = await backwardReference(network, weights, 'conv3', maps, score);
    const size = { count: 64, mapHeight: 11, mapWidth: 13, height: 22, width: 26 };
    const expected = camReference('grad-cam', maps, gradient, size);
    assertClose('map', map.data, expected.map, 10 * TOLERANCE);
  });

  const wanted = ['skipping changes no bit, as on a GPU: aligned corners, few masks a batch'];
  it.each(wanted)('passes the case: %s', async (name) => {
    const [found] = skippingCases.filter((one) => one.name === name);
    await found?.run(own, { baseUrl: '', sharedUrl: '' });
    expect(found).toBeDefined();
  });

  it('has computed all that by the kernels of GPUs', () => {
    const has = (kernel: string) => expect(made).toContainEqual(expect.stringMatching(kernel));
    has('^conv_workgroup_f32 ');
    has('^masked_conv_workgroup_f32 ');
    has('^masked_conv_workgroup_listed_f32 ');
    has('^winograd_product_workgroup ');
    has('^linear_workgroup_(partial_)?f32 ');
    expect(made.filter((label) => /registers|quads/.test(label))).toEqual([]);
  });
});
