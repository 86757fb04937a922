import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer as createHttpServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { Plugin } from 'vite';
import { baseConfig } from '../vite/base';
import { documentation } from '../vite/documentation';
import { Reach } from './reach';
import { serveRemote } from './remote-files';

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

export interface ServeOptions {
  /** Port to try first; any free one if not given. */
  readonly port?: number | undefined;
  /** First part of every path; random unless given. What may address the server is told by its {@link Serving.url}. */
  readonly token?: string | undefined;
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

/** For every answer: no other page embeds or reads it, and nothing is taken for what it does not say it is. */
const HEADERS = {
  'cross-origin-resource-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'same-origin',
};

/** A local server that serves until it is closed. */
export interface Serving {
  /** Without a '/' at its end. Only who knows it can read from the server: its path is the token. */
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Serves the project's pages and TypeScript to a browser or process on this machine. `folders` are further folders
 * whose files it may read, as {@link fileAddress} says.
 */
export async function serveProject(
  folders: readonly string[] = [],
  {
    port = 0,
    token = randomToken(),
    remoteOrigin,
    isolated = false,
    packages = [],
  }: ServeOptions = {},
): Promise<Serving> {
  // Loaded here, so that a mistake on the command line is told at once.
  const { createServer } = await import('vite');
  const base = baseConfig(projectRoot);
  const vite = await createServer({
    ...base,
    plugins: [...base.plugins, withoutClient, documentation()],
    base: `/${token}/`,
    appType: 'mpa',
    publicDir: false,
    // There is nothing else to pre-bundle, and nothing to watch.
    optimizeDeps: { noDiscovery: true, include: [...packages] },
    server: {
      // A server of its own would end this process at SIGTERM, before anybody has cleaned up.
      middlewareMode: true,
      cors: false,
      hmr: false,
      ws: false,
      watch: null,
      fs: { allow: [projectRoot, ...folders] },
    },
  });
  const reach = new Reach(projectRoot, folders);
  const headers = { ...HEADERS, ...(isolated ? ISOLATING_HEADERS : {}) };
  const server = createHttpServer((request, response) => {
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    const refuse = (status: number, why = ''): void => {
      response.writeHead(status, why, { 'content-type': 'text/plain' }).end(why);
    };
    const { url = '', method = '' } = request;
    // Of a page elsewhere whose name was made to lead here, the browser tells that name.
    if (!/^(127\.0\.0\.1|localhost)(:\d+)?$/.test(request.headers.host ?? '')) return refuse(403);
    if (!url.startsWith(`/${token}/`)) return refuse(404);
    if (method !== 'GET' && method !== 'HEAD') return refuse(405);
    const path = url.slice(token.length + 1);
    if (path.startsWith(REMOTE)) {
      const prefix = `${REMOTE}${encodeURIComponent(remoteOrigin ?? '')}/`;
      if (remoteOrigin === undefined || !path.startsWith(prefix)) return refuse(404);
      void serveRemote(remoteOrigin, path.slice(prefix.length), request, response);
      return;
    }
    const problem = reach.problemOf(path);
    if (problem) return refuse(problem.status, problem.why);
    vite.middlewares(request, response);
  });
  try {
    await listen(server, port);
  } catch (error) {
    await vite.close();
    throw error;
  }
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/${token}`,
    async close() {
      server.close();
      server.closeAllConnections();
      await vite.close();
    },
  };
}

/**
 * Vite's client would wait for news of changed sources, of which there are none. What is left of it is for modules that
 * import style sheets: these ask it to put them into the page.
 */
const withoutClient = {
  name: 'without-client',
  enforce: 'pre',
  load(id) {
    return /\/vite\/dist\/client\/client\.mjs$/.test(id) ? STYLES_ALONE : undefined;
  },
  transformIndexHtml: {
    order: 'post',
    handler: (html) =>
      html.replace(/<script type="module" src="[^"]*\/@vite\/client"><\/script>/, ''),
  },
} as const satisfies Plugin;

const STYLES_ALONE = `
export function updateStyle(id, text) {
  const style = document.createElement('style');
  style.textContent = text;
  document.head.append(style);
}
export function removeStyle() {}
export const createHotContext = () => ({ accept() {}, prune() {} });
// Of a module whose address is made when it is imported.
export const injectQuery = (url, query) => {
  if (!/^[./]/.test(url)) return url;
  const [, path, search = '', hash = ''] = /^([^?#]*)(\\?[^#]*)?(#.*)?$/.exec(url);
  return path + '?' + query + search.replace('?', '&') + hash;
};
`;

/** What nobody guesses, in letters that a URL holds as they are. */
export function randomToken(): string {
  return randomBytes(16).toString('hex');
}

/** On this port, or the next free one. 0 is any. */
async function listen(server: Server, port: number): Promise<void> {
  for (let tried = port; ; tried++) {
    try {
      server.listen(tried, '127.0.0.1');
      await once(server, 'listening');
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE' || tried >= 65535) throw error;
    }
  }
}
