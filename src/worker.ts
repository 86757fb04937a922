/*
 * What makes the one-file builds workers: `createExplainer({ worker: ... })` starts one of them as a Web Worker.
 */

import { createExplainer } from './index';
import type { Port } from './remote/line';
import { WORKER_NAME } from './remote/protocol';
import { serve } from './remote/serve';

// It is read on pages, too.
const scope = globalThis as unknown as Port & { readonly name?: string; close(): void };
if (typeof document === 'undefined' && scope.name === WORKER_NAME) {
  serve(scope, createExplainer, () => scope.close());
}
