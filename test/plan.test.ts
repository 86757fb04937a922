import { describe, expect, it } from 'vitest';
import { seededVgg } from '../src/model/model';
import { planBatches, planSteps, splitHead } from '../src/runtime/plan';

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

  it('stay within bindings, budget and time of a submit', () => {
    const plan = planBatches(network, 512, gpu);
    // 9.7 masks of 31 GFLOP in 300 GFLOP; 10.4 of 12.25 MiB in a binding; in the budget, beside two slices
    // of 1792 tiles for conv1_2, 10.5 of 16.1 MB
    expect(plan.batch).toBe(9);
    expect(plan.block % plan.batch).toBe(0);
    const activations = 4 * 64 * 224 * 224 * 1.25;
    const slices = 2 * 4 * 36 * 64 * 1664;
    expect(plan.bytesPerMask).toBe(activations + slices);
    const features = 4 * 512 * 49 * plan.block;
    expect(features + plan.batch * activations + slices).toBeLessThan(256 * MIB);
  });

  it('shrink with the budget, and need no more masks than there are', () => {
    // 48 MiB: 31 MB of slices and one mask of 16 MB
    expect(planBatches(network, 512, { ...gpu, memoryBudget: 64 * MIB }).batch).toBe(1);
    expect(planBatches(network, 2, gpu)).toMatchObject({ batch: 2, block: 2 });
  });

  it('are short on a software adapter', () => {
    expect(planBatches(network, 512, { ...gpu, isFallback: true }).batch).toBe(1);
  });

  it('leave room for the filters that Winograd makes anew of f16 weights', () => {
    const software = { ...gpu, isFallback: true };
    const { bytesPerMask } = planBatches(network, 1, software);
    const filters = 4 * 36 * 512 * 512;
    const budget = (bytes: number) => ({ ...software, memoryBudget: Math.ceil(bytes / 0.75) });
    const half = (bytes: number) => ({ ...budget(bytes), convDtype: 'f16' as const });
    expect(planBatches(network, 1, budget(bytesPerMask)).batch).toBe(1);
    expect(planBatches(network, 1, half(bytesPerMask + filters)).batch).toBe(1);
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
});
