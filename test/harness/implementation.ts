import type { CaseContext, CaseReport, ImplementationName } from './case';
import { openChrome } from './chrome';
import { openDawnCases } from './dawn';

/** An implementation of WebGPU that runs cases by suite and name. */
export interface Implementation {
  /** Features of its adapter. */
  readonly features: ReadonlySet<string>;
  /** Fails by its report alone; may be called while other cases run. */
  run(suite: string, name: string, context: CaseContext): Promise<CaseReport>;
  close(): Promise<void>;
}

/** How each is opened, and how it is called. Opening gives a sentence where it is not installed. */
export const implementations: Readonly<
  Record<ImplementationName, { title: string; open(): Promise<Implementation | string> }>
> = {
  chrome: { title: 'Chrome', open: openChrome },
  dawn: { title: 'Dawn', open: openDawnCases },
};
