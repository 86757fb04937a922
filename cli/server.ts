import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { Connect, ViteDevServer } from 'vite';
import { baseConfig } from '../vite/base';

export const projectRoot = fileURLToPath(new URL('..', import.meta.url)).replace(/[\\/]$/, '');

/** Requests below this path are fetched from the web, so that a page can read sites without CORS. */
const REMOTE = '/remote/';

/** Where a page finds a file of the local disk: `folders` of {@link serveProject} must hold it. */
export function fileAddress(base: string, path: string): string {
  const parts = path.replaceAll('\\', '/').split('/').map(encodeURIComponent);
  return `${base}/@fs/${parts.join('/').replace(/^\//, '').replace('%3A', ':')}`;
}

/** Where a page finds a file of the web. What is relative to it stays on the same site. */
export function remoteAddress(base: string, url: string): string {
  const { origin, pathname, search } = new URL(url);
  return `${base}${REMOTE}${encodeURIComponent(origin)}${pathname}${search}`;
}

/** A message with those addresses turned back into the paths and URLs that people gave. */
export function readable(message: string, base: string): string {
  return message
    .replaceAll(new RegExp(`${base}/@fs(/(?:[A-Za-z]:)?[^\\s":,]+)`, 'g'), (_, path) =>
      decodeURIComponent(path),
    )
    .replaceAll(new RegExp(`${base}${REMOTE}([^/\\s]+)`, 'g'), (_, origin) =>
      decodeURIComponent(origin),
    );
}

const PASSED_ON = [
  'content-type',
  'content-length',
  'content-range',
  'accept-ranges',
  'etag',
  'last-modified',
  'retry-after',
];

function serveRemote(allowed: string): Connect.NextHandleFunction {
  return async (request, response, next) => {
    const path = request.url ?? '';
    const prefix = `${REMOTE}${encodeURIComponent(allowed)}/`;
    if (!path.startsWith(prefix)) return next();
    // A page that has enough of a large file must not leave its download running.
    const left = new AbortController();
    response.on('close', () => left.abort());
    try {
      const { range } = request.headers;
      // Unpacked on the way, a compressed answer would no longer have the length it says.
      const headers = { 'accept-encoding': 'identity', ...(range ? { range } : {}) };
      const answer = await fetch(`${allowed}/${path.slice(prefix.length)}`, {
        headers,
        signal: left.signal,
      });
      response.statusCode = answer.status;
      response.statusMessage = answer.statusText;
      // Whoever packs all the same is unpacked by fetch, and the length no longer holds.
      const isPacked = (answer.headers.get('content-encoding') ?? 'identity') !== 'identity';
      for (const name of isPacked ? ['content-type'] : PASSED_ON) {
        const value = answer.headers.get(name);
        if (value !== null) response.setHeader(name, value);
      }
      if (!answer.body) return response.end();
      const body = Readable.fromWeb(answer.body as Parameters<typeof Readable.fromWeb>[0]);
      body.on('error', () => response.destroy()).pipe(response);
    } catch (error) {
      const { message, cause } = error as Error;
      response.statusCode = 502;
      response.end(cause instanceof Error ? cause.message : message);
    }
  };
}

export interface ServeOptions {
  /** Port to try first; any free one if not given. */
  readonly port?: number | undefined;
  /** Site whose files the page may read through this server, without CORS: {@link remoteAddress}. */
  readonly remoteOrigin?: string | undefined;
  /** Isolates pages from other origins, so that they may share memory between threads. */
  readonly isolated?: boolean | undefined;
  /** Packages that a page imports, made ready for browsers. Only bench/index.html imports any. */
  readonly packages?: readonly string[] | undefined;
}

const ISOLATING_HEADERS = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
};

/**
 * Serves the project's pages and TypeScript to a browser on a local port. `folders` are further
 * folders whose files a page may read, as {@link fileAddress} says.
 */
export async function serveProject(
  folders: readonly string[] = [],
  { port = 0, remoteOrigin, isolated = false, packages = [] }: ServeOptions = {},
): Promise<{
  url: string;
  server: ViteDevServer;
}> {
  // Loaded here, so that a mistake on the command line is told at once.
  const { createServer } = await import('vite');
  const base = baseConfig(projectRoot);
  const server = await createServer({
    ...base,
    appType: 'mpa',
    plugins: [
      ...base.plugins,
      {
        name: 'remote-files',
        configureServer: ({ middlewares }) => {
          if (remoteOrigin) middlewares.use(serveRemote(remoteOrigin));
        },
      },
    ],
    // There is nothing else to pre-bundle, and nothing to watch.
    optimizeDeps: { noDiscovery: true, include: [...packages] },
    server: {
      port,
      host: '127.0.0.1',
      hmr: false,
      watch: null,
      headers: isolated ? ISOLATING_HEADERS : {},
      fs: { allow: [projectRoot, ...folders] },
    },
  });
  await server.listen();
  const address = server.httpServer?.address();
  if (!address || typeof address === 'string') throw new Error('The local server has no port.');
  return { url: `http://127.0.0.1:${address.port}`, server };
}
