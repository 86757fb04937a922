/**
 * score-cam-webgpu/worker: the file that `createExplainer({ worker: ... })` starts as a Web Worker.
 *
 * @module
 */

import { createExplainer } from './index';
import type { Port } from './remote/line';
import { WORKER_NAME } from './remote/protocol';
import { serve } from './remote/serve';

// In the one-file builds this runs on pages, too.
const scope = globalThis as unknown as Port & { readonly name?: string; close(): void };
if (typeof document === 'undefined' && scope.name === WORKER_NAME) {
  serve(scope, createExplainer, () => scope.close());
}
