import type { CaseContext, CaseReport } from './case';

/** An implementation of WebGPU that runs cases by suite and name. */
export interface Implementation {
  /** Features of its adapter, and abilities of the JavaScript round it. */
  readonly has: ReadonlySet<string>;
  /** Fails by its report alone; may be called while other cases run. */
  run(suite: string, name: string, context: CaseContext): Promise<CaseReport>;
  close(): Promise<void>;
}
