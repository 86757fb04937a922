/**
 * score-cam-webgpu/single: everything the package has in one file, for a page without a bundler.
 *
 * @module
 */

import './worker';

export * from './evaluation/index';
export * from './index';
