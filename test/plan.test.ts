import { describe, expect, it } from 'vitest';
import { seededVgg } from '../src/model/seeded-vgg';
import { nextBatch, planBatches, planSteps, splitHead } from '../src/plan/plan';
import { Pace } from '../src/runtime/pace';

const MIB = 1024 * 1024;
const { network } = seededVgg(16, 1);

describe('steps', () => {
  it('fuse every pooling of VGG-16 into the convolution before it', () => {
    const steps = planSteps(network);
    expect(steps.map((step) => step.kind)).toEqual([
      ...Array(13).fill('conv'),
      ...Array(3).fill('linear'),
    ]);
    expect(steps[1]).toMatchObject({ name: 'pool1', pool: true, output: { height: 112 } });
    expect(splitHead(steps).head.map((step) => step.name)).toEqual(['fc1', 'fc2', 'fc3']);
  });

  it('keep a convolution apart from its pooling when its output is wanted', () => {
    const names = planSteps(network, new Set(['conv5_3'])).map((step) => step.name);
    expect(names.slice(-5)).toEqual(['conv5_3', 'pool5', 'fc1', 'fc2', 'fc3']);
    expect(names).not.toContain('conv4_3');
  });
});

describe('batches', () => {
  const gpu = { memoryBudget: 256 * MIB, maxBindingBytes: 128 * MIB, isFallback: false };

  it('stay within bindings and budget', () => {
    const plan = planBatches(network, 512, gpu);
    // 10.4 masks of 12.25 MiB in a binding; in the budget, beside two slices of 1664 tiles for conv1_2, 10.5
    expect(plan.most).toBe(10);
    const activations = 4 * 64 * 224 * 224 * 1.25;
    const slices = 2 * 4 * 36 * 64 * 1664;
    expect(plan.bytesPerMask).toBe(activations + slices);
    const features = 4 * 512 * 49 * plan.block;
    expect(features + plan.most * activations + slices).toBeLessThan(256 * MIB);
    expect(plan.flopPerMask / 31e9).toBeCloseTo(0.99, 1);
  });

  it('shrink with the budget, and need no more masks than there are', () => {
    // 48 MiB for activations: 16.1 MB a mask, and 30.7 MB of slices.
    expect(planBatches(network, 512, { ...gpu, memoryBudget: 64 * MIB }).most).toBe(1);
    expect(planBatches(network, 512, { ...gpu, memoryBudget: 128 * MIB }).most).toBe(4);
    expect(planBatches(network, 2, gpu)).toMatchObject({ most: 2, block: 2 });
  });

  it('leave room for the filters that Winograd makes anew of f16 weights', () => {
    const software = { ...gpu, isFallback: true };
    const { bytesPerMask } = planBatches(network, 1, software);
    const filters = 4 * 36 * 512 * 512;
    const budget = (bytes: number) => ({ ...software, memoryBudget: Math.ceil(bytes / 0.75) });
    const half = (bytes: number) => ({ ...budget(bytes), convDtype: 'f16' as const });
    expect(planBatches(network, 1, budget(bytesPerMask)).most).toBe(1);
    expect(planBatches(network, 1, half(bytesPerMask + filters)).most).toBe(1);
    expect(() => planBatches(network, 1, half(bytesPerMask + filters - 100))).toThrow(
      `needs ${Math.ceil((bytesPerMask + filters) / 0.75)} bytes`,
    );
  });

  it('are refused when one mask does not fit, with need and limit', () => {
    expect(() => planBatches(network, 1, { ...gpu, memoryBudget: MIB })).toThrow(
      /needs \d+ bytes .* memory budget is 1048576 bytes/,
    );
    expect(() => planBatches(network, 1, { ...gpu, maxBindingBytes: MIB })).toThrow(
      'the device binds up to 1048576',
    );
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
