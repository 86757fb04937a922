import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.json': 'application/json',
  '.png': 'image/png',
};

/** Where files lie: a folder of the disk, or texts by their path. */
export type Place = string | ReadonlyMap<string, string>;

export interface FileServer {
  readonly origin: string;
  close(): void;
}

/**
 * A plain file host, as a page's own: no bundler, nothing but files.
 * @param places by the first part of the path
 * @param policy the Content-Security-Policy of a page, if it has one
 */
export async function serveFiles(
  places: Readonly<Record<string, Place>>,
  policy: (path: string) => string | undefined = () => undefined,
): Promise<FileServer> {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '', 'http://host');
    const path = decodeURIComponent(pathname);
    const [, first = '', rest = ''] = /^\/([^/]+)\/(.+)$/.exec(path) ?? [];
    const body = bodyOf(places[first], rest);
    if (body === undefined) {
      response.writeHead(404).end();
      return;
    }
    const own = policy(path);
    if (own) response.setHeader('content-security-policy', own);
    // A page from elsewhere may use it, as a CDN has it.
    response.setHeader('access-control-allow-origin', '*');
    response.setHeader('content-type', TYPES[extname(path)] ?? 'application/octet-stream');
    response.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

function bodyOf(place: Place | undefined, path: string): string | Buffer | undefined {
  if (place === undefined) return undefined;
  if (typeof place !== 'string') return place.get(path);
  const file = normalize(path);
  if (file.startsWith('..')) return undefined;
  try {
    return readFileSync(join(place, file));
  } catch {
    return undefined;
  }
}
