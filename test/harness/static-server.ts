import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
};

/** A file host that knows nothing of what it serves. */
export interface StaticServer {
  /** Where the folder's files are; ends in '/'. */
  readonly url: string;
  close(): void;
}

/**
 * Serves a folder's files, and nothing else.
 * @param path under which they are found, such as `/some/where/`
 */
export async function serveFolder(
  folder: string,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<StaticServer> {
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? '', 'http://host');
    const name = normalize(decodeURIComponent(pathname.slice(path.length))) || '.';
    const file = join(folder, name.endsWith('/') || name === '.' ? join(name, 'index.html') : name);
    const body =
      pathname.startsWith(path) && file.startsWith(folder)
        ? await readFile(file).catch(() => undefined)
        : undefined;
    response.writeHead(body ? 200 : 404, {
      ...headers,
      'content-type': TYPES[extname(file)] ?? 'application/octet-stream',
    });
    response.end(request.method === 'HEAD' ? undefined : body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}${path}`, close: () => server.close() };
}
