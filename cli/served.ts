import { type ServeOptions, serveProject } from './server';

/** A local server of the project's pages, and what they are opened in. */
export interface Served<T> {
  readonly url: string;
  readonly launched: T;
  /** Ends both, whatever state they are in. */
  close(): Promise<void>;
}

/**
 * @param folders whose files may be read besides the project's own
 * @throws what `launch` throws; nothing is left running then
 */
export async function openServed<T extends { close(): Promise<void> }>(
  launch: () => Promise<T>,
  folders: readonly string[] = [],
  serve: ServeOptions = {},
): Promise<Served<T>> {
  // Both are waited for even when one fails, so that whatever started is closed.
  const [served, launched] = await Promise.allSettled([serveProject(folders, serve), launch()]);
  const close = async (): Promise<void> => {
    await Promise.allSettled([
      served.status === 'fulfilled' && served.value.close(),
      launched.status === 'fulfilled' && launched.value.close(),
    ]);
  };
  if (served.status === 'fulfilled' && launched.status === 'fulfilled') {
    return { url: served.value.url, launched: launched.value, close };
  }
  await close();
  throw served.status === 'rejected' ? served.reason : (launched as PromiseRejectedResult).reason;
}
