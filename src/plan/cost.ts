/*
 * How long counted work takes a GPU whose peaks are known: the model of docs/gpu-kernels.md. Pure, and a prediction.
 */

/** What one kernel of a step does. */
export interface Work {
  /** Its family's name, such as `winograd_input`. */
  readonly kernel: string;
  /** Floating-point operations, 2 a multiply-add. */
  readonly flop: number;
  readonly traffic: readonly Traffic[];
  readonly dispatches: number;
}

/** Bytes read and written. They stay in a cache that holds `held` bytes; without, they come from memory or go there. */
export interface Traffic {
  readonly bytes: number;
  readonly held?: number;
}

/** What a GPU can do: FLOP, and bytes, a second. */
export interface Rates {
  readonly flops: number;
  readonly memory: number;
  /** Its last cache: bytes that it holds, and bytes a second. */
  readonly cache: { readonly bytes: number; readonly rate: number };
  /** Seconds from one dispatch to the next that waits for it. */
  readonly dispatch: number;
}

/**
 * Seconds, if arithmetic and traffic go on at once and each at its peak.
 * @param share of the peak that the kernel's instructions leave: multiply-adds among all that are issued
 */
export function secondsOf({ flop, traffic, dispatches }: Work, rates: Rates, share = 1): number {
  const { flops, memory, cache, dispatch } = rates;
  const moving = traffic.reduce(
    (sum, { bytes, held = Infinity }) => sum + bytes / (held <= cache.bytes ? cache.rate : memory),
    0,
  );
  return Math.max(flop / (flops * share), moving) + dispatches * dispatch;
}
