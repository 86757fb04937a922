import type { Browser } from 'puppeteer';
import { launchChrome } from './chrome';
import { type ServeOptions, serveProject } from './server';

/** A local server of the project's pages and a headless Chrome to open them in. */
export interface ServedChrome {
  readonly url: string;
  readonly browser: Browser;
  /** Ends both, whatever state they are in. */
  close(): Promise<void>;
}

export interface ServedChromeOptions extends ServeOptions {
  /** Folders whose files pages may read besides the project's own. */
  readonly folders?: readonly string[] | undefined;
  /** Whether Ctrl-C ends Chrome by itself; otherwise whoever opened it does. */
  readonly handleSignals?: boolean | undefined;
}

/** @throws SetupError if Chrome does not start; nothing is left running then */
export async function openServedChrome({
  folders = [],
  handleSignals = false,
  ...serve
}: ServedChromeOptions = {}): Promise<ServedChrome> {
  // Both are waited for even when one fails, so that whatever started is closed.
  const [served, launched] = await Promise.allSettled([
    serveProject(folders, serve),
    launchChrome({ handleSignals }),
  ]);
  const close = async (): Promise<void> => {
    await Promise.allSettled([
      served.status === 'fulfilled' && served.value.server.close(),
      launched.status === 'fulfilled' && launched.value.close(),
    ]);
  };
  if (served.status === 'fulfilled' && launched.status === 'fulfilled') {
    return { url: served.value.url, browser: launched.value, close };
  }
  await close();
  throw served.status === 'rejected' ? served.reason : (launched as PromiseRejectedResult).reason;
}
