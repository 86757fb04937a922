import type { Step } from '../../src/explain/progress';
import type { Outcome } from '../page-api';

/** Something with WebGPU that runs cli/page-api.ts for commands: a page in a browser, or a process. */
export interface Host {
  /** Such as `Chrome/140.0.7339.80`. */
  readonly version: string;
  /** Rejects when it dies. */
  readonly end: Promise<never>;
  /** Loads the functions; what they fetch is at `url` or below. */
  open(url: string): Promise<void>;
  call(name: string, args: readonly unknown[]): Promise<Outcome<unknown>>;
  /** Ends it, whatever state it is in. */
  close(): Promise<void>;
}

/** @param onStep hears of the progress of calls */
export type Launch = (onStep: (step: Step) => void) => Promise<Host>;
