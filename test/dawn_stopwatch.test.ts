import { afterEach, describe, expect, it, vi } from 'vitest';
import { Gpu } from '../src/gpu/gpu';
import type { Dispatch } from '../src/gpu/kernel';
import { softmax } from '../src/kernels/layers/softmax';
import { Stopwatch } from '../src/runtime/stopwatch';
import { lacking, openDawn } from './harness/dawn';

/*
 * Timing where clocks are coarse: work is done by Mesa's lavapipe, and takes what the test says on clocks that the test
 * moves, so that nothing depends on who else has the machine. It is well under what they resolve, and five times that.
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

/** Some rows of softmax. */
function work(own: Gpu): Dispatch {
  const [rows, classes] = [8, 10];
  const logits = { buffer: own.createBuffer('logits', 4 * rows * classes) };
  const probabilities = { buffer: own.createBuffer('probabilities', 4 * rows * classes) };
  return softmax({ label: 'work', logits, probabilities, rows, classes });
}

const floored = (value: number, step: number): number => step * Math.floor(value / step);

/** Milliseconds that a dispatch takes of the time that {@link timed} counts. */
const COST = 2.37;

interface Steps {
  /** Of a clock that a browser keeps coarse against fingerprinting. */
  readonly wall?: number;
  /** The queue is heard to have finished at multiples of it only, as in Firefox. */
  readonly waits?: number;
}

/** A time that goes on as dispatches are done, one after the other, and a little with each look at the clock. */
function timed(own: Gpu, { wall = 0.001, waits }: Steps) {
  let [now, busy] = [0, 0];
  vi.spyOn(performance, 'now').mockImplementation(() => {
    now += 0.001;
    return floored(now, wall);
  });
  const submit = own.submit.bind(own);
  return vi.spyOn(own, 'submit').mockImplementation(async (...args) => {
    busy = Math.max(busy, now) + COST * args[1].length;
    const end = waits === undefined ? busy : floored(busy, waits) + waits;
    await submit(...args);
    now = Math.max(now, end);
  });
}

/** Of five times the work, over that of once, and how many dispatches went into it. */
async function ratioOf(own: Gpu, steps: Steps): Promise<{ ratio: number; dispatches: number }> {
  const dispatch = work(own);
  await own.submit('warm-up', [dispatch]);
  const submit = timed(own, steps);
  const stopwatch = new Stopwatch(own);
  const once = await stopwatch.time('once', [dispatch]);
  const dispatches = submit.mock.calls.reduce((sum, [, own]) => sum + own.length, 0);
  const fiveTimes = await stopwatch.time('five times', new Array(5).fill(dispatch));
  return { ratio: fiveTimes / once, dispatches };
}

/** Every timestamp's difference as `change` has it. */
function timestampsAs(own: Gpu, change: (ms: number) => number): void {
  const stop = own.stopProfile.bind(own);
  vi.spyOn(own, 'stopProfile').mockImplementation(() =>
    stop().map((timing) => ({ ...timing, ms: change(timing.ms) })),
  );
}

describe.skipIf(reason !== undefined)('a stopwatch tells five times the work from once', () => {
  /** What is read is sixteen times what a clock resolves, or more. */
  const expectFive = (ratio: number) => {
    expect(ratio).toBeGreaterThan(4.4);
    expect(ratio).toBeLessThan(5.6);
  };

  it('by a clock on the wall of 20 ms', async () => {
    const { ratio, dispatches } = await ratioOf(await opened(), { wall: 20 });
    expectFive(ratio);
    expect(dispatches).toBeGreaterThan(8);
  });

  it('by waits of 20 ms', async () => {
    const { ratio, dispatches } = await ratioOf(await opened(), { waits: 20 });
    expectFive(ratio);
    expect(dispatches).toBeGreaterThan(8);
  });

  it('by timestamps of a few ms, though waits take 100', async () => {
    const own = await opened('timestamp-query');
    timestampsAs(own, () => floored(COST, 0.1));
    const profiles = vi.spyOn(own, 'startProfile');
    const { ratio, dispatches } = await ratioOf(own, { waits: 100 });
    expectFive(ratio);
    expect(profiles).toHaveBeenCalled();
    expect(dispatches).toBeLessThan(300);
  });

  it('by the wall where timestamps are 0 altogether', async () => {
    const own = await opened('timestamp-query');
    timestampsAs(own, () => 0);
    expectFive((await ratioOf(own, {})).ratio);
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
