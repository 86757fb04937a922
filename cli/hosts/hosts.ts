import { browserHost } from './browser-host';
import { launchChrome } from './chrome';
import { launchFirefox } from './firefox';
import type { Launch } from './host';
import { processHost } from './process-host';
import { denoRuntime, nodeRuntime } from './runtimes';

interface HostFacts {
  readonly launch: Launch;
  /** Whether it makes pixels of image files; else Node does. */
  readonly decodes: boolean;
  /** What to do where it offers no adapter. */
  readonly remedy: string;
}

/** What commands can run in, by the name that `--runtime` takes. */
export const HOSTS = {
  chrome: {
    launch: browserHost('Chrome', () => launchChrome({ handleSignals: false })),
    decodes: true,
    remedy: 'set CHROME_PATH to a current Chrome or Chromium',
  },
  firefox: {
    launch: browserHost('Firefox', () => launchFirefox({ handleSignals: false })),
    decodes: true,
    remedy: 'set FIREFOX_PATH to a current Firefox, and on Linux install Mesa 25 or later',
  },
  deno: {
    launch: processHost(denoRuntime),
    decodes: false,
    remedy: 'on Linux install Mesa 25 or later',
  },
  node: {
    launch: processHost(nodeRuntime),
    decodes: false,
    remedy: 'on Linux install Mesa 25 or later',
  },
} as const satisfies Readonly<Record<string, HostFacts>>;

export type HostName = keyof typeof HOSTS;
export const HOST_NAMES = Object.keys(HOSTS) as HostName[];
