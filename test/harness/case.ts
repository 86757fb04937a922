import type { Gpu } from '../../src/gpu/gpu';

/** Where cases can run: one file of test/harness each, registered in implementations.ts. */
export type ImplementationName = 'chrome' | 'dawn';

/**
 * One GPU test, addressable by suite (its file's name) and name, in any implementation of WebGPU. What it needs is
 * data, so that whoever lists cases need not run them. `run` throws when something does not hold; what it returns
 * is printed by verbose reporters.
 */
export interface GpuCase {
  readonly name: string;
  /** Where it runs unless told otherwise; in Chrome if absent. */
  readonly where?: readonly ImplementationName[];
  /** Features that the device must have. */
  readonly needs?: readonly string[];
  /** Needs ../shared; gets its address as a URL ending in '/'. */
  readonly needsShared?: boolean;
  /** Takes many minutes on a software adapter: what it takes, to say so. It runs with SCORE_CAM_SLOW=1 only. */
  readonly slow?: string;
  /** Gets a device that no other case has used, and that is destroyed afterwards. */
  readonly ownDevice?: boolean;
  run(gpu: Gpu, context: CaseContext): Promise<string | undefined>;
}

export interface CaseContext {
  /** Address of the reference data, ending in '/'; '' where it is absent. */
  readonly sharedUrl: string;
}

export interface CaseReport {
  readonly ok: boolean;
  /** What went wrong, or what the case has to say. */
  readonly message: string;
}
