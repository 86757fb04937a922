import { afterEach, describe, expect, it, vi } from 'vitest';
import { Gpu } from '../src/gpu/gpu';
import type { Dispatch } from '../src/gpu/kernel';
import { softmax } from '../src/kernels/layers/softmax';
import { Stopwatch } from '../src/runtime/stopwatch';
import { lacking, openDawn } from './harness/dawn';

/*
 * Timing where clocks are coarse: on Mesa's lavapipe, whose clocks are made so. What is timed takes well under what they
 * resolve, and five times that; no test says how long anything takes.
 */

const dawn = await openDawn('backend=vulkan');
const reason = await lacking(dawn, ['timestamp-query']);
if (reason !== undefined) console.log(`Coarse clocks are not tested: ${reason}.`);

let gpu: Gpu | undefined;
afterEach(() => {
  gpu?.device.destroy();
  vi.restoreAllMocks();
});

async function opened(...features: GPUFeatureName[]): Promise<Gpu> {
  const adapter = (await dawn.gpu?.requestAdapter()) as GPUAdapter;
  gpu = await Gpu.create({ device: await adapter.requestDevice({ requiredFeatures: features }) });
  return gpu;
}

/** Some thousand rows of softmax: a few milliseconds at most. */
function work(own: Gpu): Dispatch {
  const [rows, classes] = [2000, 100];
  const logits = { buffer: own.createBuffer('logits', 4 * rows * classes) };
  const probabilities = { buffer: own.createBuffer('probabilities', 4 * rows * classes) };
  return softmax({ label: 'work', logits, probabilities, rows, classes });
}

/** Of five times the work, over that of once, and how many dispatches went into it. */
async function ratioOf(own: Gpu): Promise<{ ratio: number; dispatches: number }> {
  const dispatch = work(own);
  await own.submit('warm-up', [dispatch]);
  const submit = vi.spyOn(own, 'submit');
  const stopwatch = new Stopwatch(own);
  const once = await stopwatch.time('once', [dispatch]);
  const dispatches = submit.mock.calls.reduce((sum, [, own]) => sum + own.length, 0);
  const fiveTimes = await stopwatch.time('five times', new Array(5).fill(dispatch));
  return { ratio: fiveTimes / once, dispatches };
}

const floored = (value: number, step: number): number => step * Math.floor(value / step);

/** What a browser's clock shows that is kept coarse against fingerprinting. */
function coarseWall(step: number): void {
  const now = performance.now.bind(performance);
  vi.spyOn(performance, 'now').mockImplementation(() => floored(now(), step));
}

/** The queue is heard to have finished at multiples of so many milliseconds only, as in Firefox. */
function coarseWaits({ device: { queue } }: Gpu, step: number): void {
  const done = queue.onSubmittedWorkDone.bind(queue);
  queue.onSubmittedWorkDone = async () => {
    await done();
    const now = performance.now();
    await new Promise((resolve) => setTimeout(resolve, floored(now, step) + step - now));
    return undefined;
  };
}

/** Every timestamp's difference as `change` has it. */
function timestampsAs(own: Gpu, change: (ms: number) => number): void {
  const stop = own.stopProfile.bind(own);
  vi.spyOn(own, 'stopProfile').mockImplementation(() =>
    stop().map((timing) => ({ ...timing, ms: change(timing.ms) })),
  );
}

describe.skipIf(reason !== undefined)('a stopwatch tells five times the work from once', () => {
  const expectFive = (ratio: number) => {
    expect(ratio).toBeGreaterThan(2);
    // Others have the machine, too.
    expect(ratio).toBeLessThan(30);
  };

  it('by a clock on the wall of 20 ms', async () => {
    const own = await opened();
    coarseWall(20);
    const { ratio, dispatches } = await ratioOf(own);
    expectFive(ratio);
    expect(dispatches).toBeGreaterThan(8);
  });

  it('by waits of 20 ms', async () => {
    const own = await opened();
    coarseWaits(own, 20);
    const { ratio, dispatches } = await ratioOf(own);
    expectFive(ratio);
    expect(dispatches).toBeGreaterThan(8);
  });

  it('by timestamps of a few ms, though waits take 100', async () => {
    const own = await opened('timestamp-query');
    coarseWaits(own, 100);
    timestampsAs(own, (ms) => floored(ms, 0.1));
    const profiles = vi.spyOn(own, 'startProfile');
    const { ratio, dispatches } = await ratioOf(own);
    expectFive(ratio);
    expect(profiles).toHaveBeenCalled();
    expect(dispatches).toBeLessThan(300);
  });

  it('by the wall where timestamps are 0 altogether', async () => {
    const own = await opened('timestamp-query');
    timestampsAs(own, () => 0);
    expectFive((await ratioOf(own)).ratio);
  });
});

describe.skipIf(reason !== undefined)('a stopwatch', () => {
  it('does not measure again what takes three times as long as the best', async () => {
    const own = await opened('timestamp-query');
    // Resolved at the first round.
    timestampsAs(own, () => 10);
    const stopwatch = new Stopwatch(own);
    const dispatch = work(own);
    const profiles = vi.spyOn(own, 'startProfile');
    expect(await stopwatch.time('slow', [dispatch], 3)).toBe(10);
    expect(profiles).toHaveBeenCalledTimes(1);
    expect(await stopwatch.time('good', [dispatch], 4)).toBe(10);
    expect(profiles).toHaveBeenCalledTimes(4);
  });

  it('ends where all clocks stand still', async () => {
    const own = await opened('timestamp-query');
    timestampsAs(own, () => 0);
    const stopwatch = new Stopwatch(own);
    const dispatch = work(own);
    const submit = vi.spyOn(own, 'submit').mockResolvedValue();
    // The step of the wall's clock, found by looking at it, and from then on nothing.
    let looks = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => Math.min(looks++, 20));
    expect(await stopwatch.time('still', [dispatch])).toBe(0);
    expect(submit).toHaveBeenCalled();
  });
});
