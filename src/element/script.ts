/**
 * score-cam-webgpu/element in one file, for a script tag: element, library and worker.
 *
 * @module
 */

import '../worker';

export * from './index';
