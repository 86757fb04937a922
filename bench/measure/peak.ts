import { median } from '../../cli/median';
import { Arena } from '../../src/gpu/arena';
import type { Gpu } from '../../src/gpu/gpu';
import {
  CHAINS,
  type MultiplyAddArgs,
  multiplyAddFlop,
  multiplyAdds,
  traffic,
  trafficBytes,
} from './peak-kernels';
import { giga } from './statistics';
import type { Timer } from './timer';
import type { Measurement, Peak } from './types';

const MIB = 1024 * 1024;
/** Beyond what the caches of today's cards hold together. */
const TRAFFIC_BYTES = 128 * MIB;
/** vec4f that an invocation copies or reads: many invocations for a GPU, long runs for a CPU. */
const SIDE_BY_SIDE = 32;
/** No power of two: neighbours' runs would compete for the same places of a cache. */
const ONE_AFTER_THE_OTHER = 2044;
/** As many as the largest cards keep in flight. */
const INVOCATIONS = 2 ** 18;
/** Milliseconds of multiply-adds that are enough to tell. */
const ENOUGH = 10;

/**
 * The fastest multiply-adds and the fastest traffic, the best run of each: what this adapter does for a kernel that does
 * nothing else.
 */
export async function measurePeak(
  gpu: Gpu,
  timer: Timer,
  onResult: (result: Measurement) => void,
): Promise<Peak> {
  const arena = new Arena(gpu);
  try {
    const rates = { flop: 0, bytes: 0 };
    const output = arena.take('peak', 16 * INVOCATIONS);
    for (const chains of CHAINS) {
      const args: MultiplyAddArgs = {
        chains,
        invocations: INVOCATIONS,
        steps: 1,
        factor: 0.75,
        addend: 0.25,
        output,
      };
      const steps = await stepsFor(timer, args);
      const flop = multiplyAddFlop({ ...args, steps });
      const timed = await timer.time('peak', [multiplyAdds({ ...args, steps })]);
      const name = `multiply-adds in registers, ${chains} x vec4f`;
      onResult({ section: 'peak', name, flop, bytes: 16 * INVOCATIONS, ...timed });
      rates.flop = Math.max(rates.flop, giga(flop, Math.min(...timed.runs)));
    }
    const bytes = Math.min(TRAFFIC_BYTES, gpu.device.limits.maxStorageBufferBindingSize);
    const input = arena.take('traffic from', bytes);
    const copy = arena.take('traffic to', bytes);
    for (const kind of ['copy', 'read'] as const) {
      for (const blocked of [false, true]) {
        const perInvocation = blocked ? ONE_AFTER_THE_OTHER : SIDE_BY_SIDE;
        const invocations = 64 * Math.floor(bytes / 1024 / perInvocation);
        const args = { perInvocation, blocked, invocations, input, output: copy };
        const moved = trafficBytes(kind, args);
        const timed = await timer.time('peak', [traffic(kind, args)]);
        const order = blocked ? 'one after the other' : 'side by side';
        onResult({
          section: 'peak',
          name: `${kind} ${bytes / MIB} MiB, ${order}`,
          bytes: moved,
          ...timed,
        });
        rates.bytes = Math.max(rates.bytes, giga(moved, Math.min(...timed.runs)));
      }
    }
    return { gflops: rates.flop, gbps: rates.bytes };
  } finally {
    arena.dispose();
  }
}

/** Steps that keep the adapter busy long enough. */
async function stepsFor(timer: Timer, args: MultiplyAddArgs): Promise<number> {
  const quick = timer.withRuns(1);
  for (let steps = 4; steps < 2 ** 20; steps *= 4) {
    const { runs } = await quick.time('peak', [multiplyAdds({ ...args, steps })]);
    if (median(runs) >= ENOUGH) return steps;
  }
  return 2 ** 20;
}
