import type { ImplementationName } from './case';
import { openChrome } from './chrome';
import { openDawnCases } from './dawn';
import type { Implementation } from './implementation';

/** How each is opened, and how it is called. Opening gives a sentence where it is not installed. */
export const implementations: Readonly<
  Record<ImplementationName, { title: string; open(): Promise<Implementation | string> }>
> = {
  chrome: { title: 'Chrome', open: openChrome },
  dawn: { title: 'Dawn', open: openDawnCases },
};
