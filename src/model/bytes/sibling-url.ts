import { ScoreCamError } from '../../errors';

/**
 * Address of a file that another one names relative to itself: a shard beside its index.
 * @throws ScoreCamError `weights` unless it lies in the same folder or below. Browsers read `%2e%2e` as the
 * folder above, so it is the finished address that counts.
 */
export function siblingUrl(main: URL, path: string): URL {
  let url: URL | undefined;
  try {
    url = new URL(path, main);
    const folder = new URL('.', main);
    if (url.origin === folder.origin && url.pathname.startsWith(folder.pathname)) return url;
  } catch {
    // An address such as data: has no neighbours.
  }
  throw new ScoreCamError(
    'weights',
    `${main} names ${JSON.stringify(path)} as one of its parts${url ? `, which would be ${url}` : ''}; a ` +
      'part must be a file beside it or in a folder below.',
  );
}
