import type { Gpu } from '../../src/gpu/gpu';
import { convDevice } from '../../src/plan/device';
import type { Peak } from './types';

/** One item of a batch: what it costs, and its largest tensor. */
export interface Item {
  readonly flop: number;
  readonly bytes: number;
  readonly largest: number;
}

/** Milliseconds that a kernel at the adapter's very peak would take for the batch. */
const TARGET = 2;
const MOST = 256;
/** Below this many GFLOP/s layers are measured at a smaller size; so are those of software adapters. */
const SLOW = 100;

/** How large work must be on an adapter to be telling. */
export interface Scale {
  readonly peak: Peak;
  readonly maxBindingBytes: number;
  /** Smaller layers on software adapters, which take seconds for what takes a GPU milliseconds. */
  readonly small: boolean;
  /** Fours of invocations that a subgroup is. */
  readonly quads?: number | undefined;
}

/** What suits a device whose peak is known. */
export function scaleOf({ adapter, device, facts }: Gpu, peak: Peak): Scale {
  return {
    peak,
    maxBindingBytes: device.limits.maxStorageBufferBindingSize,
    small: adapter.isFallback || peak.gflops < SLOW,
    quads: convDevice(facts, 'f32').quads,
  };
}

/** Items enough to keep the adapter busy for about two milliseconds at its peak, within a binding. */
export function batchFor({ peak, maxBindingBytes }: Scale, { flop, bytes, largest }: Item): number {
  const byWork = flop > 0 ? (TARGET * 1e6 * peak.gflops) / flop : Infinity;
  const byTraffic = bytes > 0 ? (TARGET * 1e6 * peak.gbps) / bytes : Infinity;
  const wanted = Math.ceil(Math.min(byWork, byTraffic));
  return Math.max(1, Math.min(wanted, MOST, Math.floor(maxBindingBytes / largest)));
}
