import type { Gpu } from '../../src/gpu/gpu';

/**
 * One GPU test, addressable by suite and name. Node lists the cases; headless Chrome runs them.
 * `run` throws when something does not hold; what it returns is printed by verbose reporters.
 */
export interface GpuCase {
  readonly name: string;
  /** Needs ../shared; gets its address as a URL ending in '/'. */
  readonly needsShared?: boolean;
  /** Takes many minutes on a software adapter: what it takes, to say so. It runs with SCORE_CAM_SLOW=1 only. */
  readonly slow?: string;
  run(gpu: Gpu, context: CaseContext): Promise<string | undefined>;
}

export interface CaseContext {
  /** Address of the reference data, ending in '/'; '' where it is absent. */
  readonly sharedUrl: string;
}
