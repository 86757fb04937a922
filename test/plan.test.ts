import { describe, expect, it } from 'vitest';
import { ScoreCamError } from '../src/errors';
import { IMAGE } from '../src/model/network';
import { seededVgg } from '../src/model/seeded-vgg';
import { maskedPasses, nextBatch, passesBehind, planBatches } from '../src/plan/batches';
import { methodName } from '../src/plan/candidates';
import { compile, keeping, type PlanOptions } from '../src/plan/compile';
import { type ConvStep, type LinearStep, layoutName } from '../src/plan/steps';
import { Pace } from '../src/runtime/pace';
import { factsOf, softwareFacts } from './harness/facts';

const MIB = 1024 * 1024;
const { network } = seededVgg(16, 1);
const gpu = compile(network, factsOf());

const conv = (steps: readonly { readonly name: string }[], name: string): ConvStep =>
  steps.find((step) => step.name === name) as ConvStep;

describe('steps', () => {
  it('fuse every pooling of VGG-16 into the convolution before it', () => {
    expect(gpu.steps.map((step) => step.kind)).toEqual([
      ...Array(13).fill('conv'),
      ...Array(3).fill('linear'),
    ]);
    expect(gpu.steps[1]).toMatchObject({
      name: 'pool1',
      layers: ['conv1_2', 'pool1'],
      shape: { pool: true },
      output: { height: 112 },
    });
    expect(gpu.head.map((step) => step.name)).toEqual(['fc1', 'fc2', 'fc3']);
    expect(gpu.features).toHaveLength(13);
  });

  it('keep a convolution apart from its pooling when its output is wanted', () => {
    const { steps } = keeping(gpu, ['conv5_3']);
    const names = steps.map((step) => step.name);
    expect(names.slice(-5)).toEqual(['conv5_3', 'pool5', 'fc1', 'fc2', 'fc3']);
    expect(names).not.toContain('conv4_3');
  });

  it('name what they read, and what nobody reads after them', () => {
    const { steps } = keeping(gpu, ['conv5_3']);
    expect(steps[0]).toMatchObject({ inputs: [IMAGE], last: [] });
    expect(steps[1]).toMatchObject({ inputs: ['conv1_1'], last: ['conv1_1'] });
    // What is wanted outlives its reader.
    expect(steps.find(({ name }) => name === 'pool5')).toMatchObject({
      inputs: ['conv5_3'],
      last: [],
    });
    // Every other tensor is given up by exactly one step.
    const given = steps.flatMap(({ last }) => last);
    const left = steps.map(({ name }) => name).filter((name) => !given.includes(name));
    expect(left).toEqual(['conv5_3', 'fc3']);
    expect(new Set(given).size).toBe(given.length);
  });

  it('say their work and their bytes', () => {
    const step = conv(gpu.steps, 'conv2_1');
    expect(step.flop).toBe(2 * 64 * 128 * 9 * 112 ** 2);
    expect(step.bytes.output).toBe(4 * 128 * 112 ** 2);
    // Packed, a bias, and 16 products' filters.
    expect(step.bytes.weights).toBe(4 * (64 * 128 * 9 + 128 + 16 * 64 * 128));
    // 36 of F(4x4).
    expect(conv(gpu.steps, 'conv3_2').bytes.weights).toBe(
      4 * (256 * 256 * 9 + 256 + 36 * 256 * 256),
    );
    const total = (options: PlanOptions): number =>
      compile(network, softwareFacts(1), options).steps.reduce(
        (sum, { bytes }) => sum + bytes.weights,
        0,
      );
    expect(total({ dtype: 'f32' }) / 1e6).toBeCloseTo(789, 0);
    expect(total({ dtype: 'f16' }) / 1e6).toBeCloseTo(277, 0);
    expect(total({ dtype: 'int8' }) / 1e6).toBeCloseTo(153, 0);
  });
});

describe('a plan', () => {
  it('is the same for the same network, device and options', () => {
    const options = { dtype: 'int8', precision: 'f32' } as const;
    expect(compile(network, softwareFacts(2), options)).toEqual(
      compile(network, softwareFacts(2), options),
    );
  });

  it('decides by the device: kernels, tiles that can be listed, and the way back', () => {
    const software = compile(network, softwareFacts(1));
    const [first, second] = software.steps as ConvStep[];
    expect(first).toMatchObject({ masked: { tiling: 'registers' }, tile: undefined });
    expect(methodName((first as ConvStep).method)).toBe('direct, registers');
    expect(second).toMatchObject({ masked: undefined, tile: { height: 4, width: 4 } });
    expect(methodName((second as ConvStep).method)).toBe('F(4x4) f32, quads');
    expect(software.head).toMatchObject([
      { tiling: 'quads', quads: 1 },
      { tiling: 'quads' },
      { tiling: 'quads' },
    ]);
    expect((gpu.steps[0] as ConvStep).masked?.tiling).toBe('workgroup');
    expect(methodName((gpu.steps[1] as ConvStep).method)).toBe('F(2x2) f32, fused in 16 KiB');
    expect(gpu.steps[1]).toMatchObject({ masked: undefined, tile: { height: 4, width: 4 } });
    expect(methodName(conv(gpu.steps, 'conv3_2').method)).toBe('F(4x4) f32, workgroup');
    // Back through the first convolution: 64 to 3 channels.
    expect((gpu.steps[0] as ConvStep).back).toMatchObject({
      shape: { inChannels: 64, outChannels: 3, activation: 1, pool: false },
      method: { kind: 'direct' },
    });
  });

  it('knows quads only where subgroups are always as large, and matrix units only with f16', () => {
    const tilings = (changes: Parameters<typeof factsOf>[0]) =>
      (compile(network, factsOf({ isFallback: true, ...changes })).head[0] as LinearStep).tiling;
    const features = new Set(['subgroups']);
    expect(tilings({ features, subgroupMinSize: 8, subgroupMaxSize: 8 })).toBe('quads');
    expect(tilings({ features, subgroupMinSize: 4, subgroupMaxSize: 8 })).toBe('registers');
    expect(tilings({ subgroupMinSize: 4, subgroupMaxSize: 4 })).toBe('registers');
    expect(tilings({ features, subgroupMinSize: 2, subgroupMaxSize: 2 })).toBe('registers');
  });

  it('cuts fully connected layers by what the device binds', () => {
    const rows = (plan = gpu): number[] =>
      (plan.head[0] as LinearStep).layout.shards.map(({ outputs }) => outputs);
    expect(rows()).toEqual([1024, 1024, 1024, 1024]);
    const large = factsOf({ maxStorageBufferBindingSize: 1024 * MIB, maxBufferSize: 1024 * MIB });
    expect(rows(compile(network, large))).toEqual([4096]);
    const small = factsOf({ maxStorageBufferBindingSize: 1000 });
    expect(() => compile(network, small)).toThrow(ScoreCamError);
  });

  it('lays weights out by dtype and method, and says so in words', () => {
    const name = (plan = gpu, step = 'pool1') => layoutName(conv(plan.steps, step).layout);
    expect(name()).toBe('f32, transformed for F(2x2) in f32');
    expect(name(gpu, 'conv3_2')).toBe('f32, transformed for F(4x4) in f32');
    expect(name(compile(network, factsOf(), { precision: 'f16' }))).toBe(
      'f32, transformed for F(2x2) in f16',
    );
    // Transformed anew at each use.
    expect(name(compile(network, factsOf(), { dtype: 'int8' }))).toBe('f16');
    expect(name(gpu, 'conv1_1')).toBe('f32');
  });

  it('takes a forced choice for what it is: another plan', () => {
    const direct = compile(network, factsOf(), {
      choose: {
        conv: () => ({ kind: 'direct', tiling: 'registers' }),
        linear: () => 'registers',
      },
    });
    for (const step of direct.features as ConvStep[]) {
      expect(step).toMatchObject({ method: { tiling: 'registers' }, tile: undefined });
      expect(layoutName(step.layout)).toBe('f32');
    }
    expect((direct.steps[0] as ConvStep).masked?.tiling).toBe('registers');
    expect((direct.head[2] as LinearStep).tiling).toBe('registers');
  });
});

describe('batches', () => {
  // All by F(4x4), which needs scratch.
  const small = compile(network, factsOf({ maxInvocations: 128 }));
  const plan = (masks: number, budget = 256 * MIB, own = small) =>
    planBatches(maskedPasses(own), masks, budget);

  it('hold more where a layer needs no scratch', () => {
    expect(plan(512, 64 * MIB, gpu).most).toBe(3);
    expect(plan(1, 256 * MIB, gpu).bytesPerMask).toBeLessThan(plan(1).bytesPerMask / 2);
  });

  it('stay within bindings and budget', () => {
    const batches = plan(512);
    // 10.4 masks of 12.25 MiB in a binding; in the budget, beside two slices of 1664 tiles for conv1_2, 10.5
    expect(batches.most).toBe(10);
    const activations = 4 * 64 * 224 * 224 * 1.25;
    const slices = 2 * 4 * 36 * 64 * 1664;
    expect(batches.bytesPerMask).toBe(activations + slices);
    const features = 4 * 512 * 49 * batches.block;
    expect(features + batches.most * activations + slices).toBeLessThan(256 * MIB);
    expect(batches.flopPerMask / 31e9).toBeCloseTo(0.99, 1);
  });

  it('shrink with the budget, and need no more masks than there are', () => {
    // 48 MiB for activations: 16.1 MB a mask, and 30.7 MB of slices.
    expect(plan(512, 64 * MIB).most).toBe(1);
    expect(plan(512, 128 * MIB).most).toBe(4);
    expect(plan(2)).toMatchObject({ most: 2, block: 2 });
  });

  it('leave room for the filters that Winograd makes anew of f16 weights', () => {
    const software = compile(network, softwareFacts());
    const half = compile(network, softwareFacts(), { dtype: 'f16' });
    const { bytesPerMask } = plan(1, 256 * MIB, software);
    const filters = 4 * 36 * 512 * 512;
    const budget = (bytes: number) => Math.ceil(bytes / 0.75);
    expect(plan(1, budget(bytesPerMask), software).most).toBe(1);
    expect(plan(1, budget(bytesPerMask + filters), half).most).toBe(1);
    expect(() => plan(1, budget(bytesPerMask + filters - 100), half)).toThrow(
      `needs ${Math.ceil((bytesPerMask + filters) / 0.75)} bytes`,
    );
  });

  it('are refused when one mask does not fit, with need and limit', () => {
    expect(() => plan(1, MIB)).toThrow(/needs \d+ bytes .* memory budget is 1048576 bytes/);
    const small = factsOf({ maxStorageBufferBindingSize: MIB });
    expect(() => plan(1, 256 * MIB, compile(network, small))).toThrow(
      'the device binds up to 1048576',
    );
  });

  it('begin behind a layer with its output for each item', () => {
    const behind = passesBehind(gpu, 'conv5_3');
    expect(behind.features.map(({ name }) => name)).toEqual(['pool5']);
    expect(behind).toMatchObject({ input: 'conv5_3', inputBytes: 4 * 512 * 14 * 14 });
    expect(behind.head.map(({ name }) => name)).toEqual(['fc1', 'fc2', 'fc3']);
    const last = passesBehind(gpu, 'pool5');
    expect(last).toMatchObject({ features: [], input: 'pool5', inputBytes: 4 * 512 * 49 });
    const whole = passesBehind(gpu, undefined);
    expect(whole).toMatchObject({ input: IMAGE, inputBytes: 4 * 3 * 224 * 224 });
    expect(whole.features).toHaveLength(13);
  });

  it('take what fits memory and the work of a submit, never nothing', () => {
    const work = [5, 5, 20, 1, 1, 1, 1, 1];
    const cut = (most: number, at: number, end = work.length): number =>
      nextBatch({ most, flopPerSubmit: 10 }, at, end, (i) => work[i] as number);
    expect([0, 1, 2, 3, 7].map((at) => cut(4, at))).toEqual([2, 1, 1, 4, 1]);
    expect(cut(9, 3)).toBe(5);
    expect(cut(1, 0)).toBe(1);
    expect(cut(4, 3, 5)).toBe(2);
  });
});

describe('the pace', () => {
  it('aims at a fifth of a second a submit, by steps of four at most', () => {
    const pace = new Pace(60);
    expect(pace.flopPerSubmit).toBe(60);
    pace.took(60, 300);
    expect(pace.flopPerSubmit).toBe(40);
    pace.took(40, 80);
    expect(pace.flopPerSubmit).toBe(100);
    pace.took(100, 1);
    expect(pace.flopPerSubmit).toBe(400);
    pace.took(400, 1e6);
    expect(pace.flopPerSubmit).toBe(100);
  });

  it('learns nothing from a submit without work, or without time', () => {
    const pace = new Pace(60);
    pace.took(0, 5);
    pace.took(60, 0);
    expect(pace.flopPerSubmit).toBe(60);
  });
});
