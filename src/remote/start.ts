import { WORKER_NAME } from './protocol';

/**
 * Starts the library's own worker, or one that is served elsewhere. In a form that bundlers know, so that they bring the
 * file along; the builds put the place of their own file there (vite/build.ts).
 */
export function startWorker(address: string | URL | undefined): Worker {
  return address === undefined
    ? new Worker(new URL('../worker.ts', import.meta.url), { type: 'module', name: WORKER_NAME })
    : new Worker(address, { type: 'module', name: WORKER_NAME });
}
