import type { Gpu } from '../../src/gpu/gpu';
import type { Ability } from './abilities';

/** Where cases run, as implementations.ts opens them. */
export type ImplementationName = 'chrome' | 'dawn' | 'deno' | 'firefox';

/**
 * One GPU test, addressable by suite (its file's name) and name, in any implementation of WebGPU. What it needs is
 * data, so that whoever lists cases need not run them. `run` throws when something does not hold; what it returns
 * is printed by verbose reporters.
 */
export interface GpuCase {
  readonly name: string;
  /** Where `npm test` runs it, in Chrome if absent; `npm run test:everywhere` runs every case in all of them. */
  readonly usually?: readonly ImplementationName[];
  /** Features that the device must have, and what the JavaScript round it must be able to do. */
  readonly needs?: readonly (GPUFeatureName | Ability)[];
  /** Needs ../shared; gets its address as a URL ending in '/'. */
  readonly needsShared?: boolean;
  /** Takes many minutes on a software adapter: what it takes, to say so. It runs with SCORE_CAM_SLOW=1 only. */
  readonly slow?: string;
  /** Gets a device that no other case has used, and that is destroyed afterwards. */
  readonly ownDevice?: boolean;
  run(gpu: Gpu, context: CaseContext): Promise<string | undefined>;
}

export interface CaseContext {
  /** Address of the server of the project's files, without '/' at its end. */
  readonly baseUrl: string;
  /** Address of the reference data, ending in '/'; '' where it is absent. */
  readonly sharedUrl: string;
}

export interface CaseReport {
  readonly ok: boolean;
  /** What went wrong, or what the case has to say. */
  readonly message: string;
}
