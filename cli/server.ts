import { fileURLToPath } from 'node:url';
import { createServer, type ViteDevServer } from 'vite';

export const projectRoot = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');

/**
 * Serves the project's pages and TypeScript to headless Chrome on a free local port. `folders` are
 * further folders whose files a page may read, as `/@fs/<absolute path>`.
 */
export async function serveProject(folders: readonly string[] = []): Promise<{
  url: string;
  server: ViteDevServer;
}> {
  const server = await createServer({
    root: projectRoot,
    configFile: false,
    logLevel: 'error',
    appType: 'mpa',
    // No dependency is ever imported by a page, so there is nothing to pre-bundle or to watch.
    optimizeDeps: { noDiscovery: true, include: [] },
    server: {
      port: 0,
      host: '127.0.0.1',
      hmr: false,
      watch: null,
      fs: { allow: [projectRoot, ...folders] },
    },
  });
  await server.listen();
  const address = server.httpServer?.address();
  if (!address || typeof address === 'string') throw new Error('The local server has no port.');
  return { url: `http://127.0.0.1:${address.port}`, server };
}
