import { denoRuntime, nodeRuntime } from '../../cli/hosts/runtimes';
import { openChrome, openFirefox } from './browsers';
import type { ImplementationName } from './case';
import type { Implementation } from './implementation';
import { openProcess } from './processes';

/** How each is opened, and how it is called. Opening gives a sentence where it is not installed. */
export const implementations: Readonly<
  Record<ImplementationName, { title: string; open(): Promise<Implementation | string> }>
> = {
  chrome: { title: 'Chrome', open: openChrome },
  dawn: { title: 'Dawn', open: () => openProcess(nodeRuntime) },
  deno: { title: 'Deno', open: () => openProcess(denoRuntime) },
  firefox: { title: 'Firefox', open: openFirefox },
};
