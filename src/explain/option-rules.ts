/*
 * What each option of an explainer and of an explanation may be. Those of drawing and measuring are beside what draws and
 * measures, which is loaded later.
 */
import { PRECISIONS } from '../numbers/dtypes';
import type { ExplainOptions } from './explain-options';
import type { ExplainerOptions } from './explainer-options';
import { OPTIONS } from './methods/options';
import { METHOD_NAMES } from './methods/registry';
import {
  all,
  CLASS,
  does,
  either,
  FLAG,
  FUNCTION,
  isNumber,
  isObject,
  isText,
  OBJECT,
  type Rule,
  type Rules,
} from './rules';
import type { Callbacks } from './types';

export const CALLBACKS: Rules<Callbacks> = {
  onProgress: FUNCTION,
  signal: { kind: 'an AbortSignal', is: does('throwIfAborted') },
};

export const EXPLAIN: Rules<ExplainOptions> = {
  ...CALLBACKS,
  ...OPTIONS,
  method: { names: METHOD_NAMES },
  layer: { kind: 'the name of a layer, or an array of names', is: either(isText, all(isText)) },
  class: CLASS,
  onPreview: FUNCTION,
};

const isAddress = either(isText, (value) => value instanceof URL);
const isFile = does('arrayBuffer', 'slice');
const isPlace = either(isAddress, isFile, all(isFile));

const THREE: Rule = {
  kind: 'three numbers (red, green, blue)',
  is: (value) => all(isNumber)(value) && (value as unknown[]).length === 3,
};

export const EXPLAINER: Rules<ExplainerOptions> = {
  ...CALLBACKS,
  model: {
    kind: 'an address, a name, a file, an array of files or a loaded model',
    is: either(isPlace, (value) => isObject(value) && 'network' in value && 'weights' in value),
  },
  weights: { kind: 'an address, a file or an array of files', is: isPlace },
  labels: { kind: 'an array of names', is: all(isText) },
  mean: THREE,
  std: THREE,
  size: {
    kind: 'a number of pixels, or two (height, width)',
    is: either(isNumber, (value) => all(isNumber)(value) && (value as unknown[]).length === 2),
  },
  resize: { names: ['cover', 'stretch'] },
  dtype: { names: ['f32', 'f16', 'int8'] },
  cache: { kind: 'a cache with match, put and delete', is: does('match', 'put', 'delete') },
  retryDelays: {
    kind: 'an array of milliseconds',
    is: all((value) => typeof value === 'number' && value >= 0),
  },
  device: { kind: 'a GPUDevice', is: does('createComputePipeline') },
  getDevice: FUNCTION,
  onDeviceLost: FUNCTION,
  precision: { names: PRECISIONS },
  prepare: { names: METHOD_NAMES },
  tune: FLAG,
  tuning: OBJECT,
  tuningCache: {
    kind: 'false, or a cache with get and put',
    is: either((value) => value === false, does('get', 'put')),
  },
  worker: {
    kind: "true, false or a worker's address",
    is: either((value) => typeof value === 'boolean', isAddress),
  },
  memoryBudget: { least: 1, most: Number.POSITIVE_INFINITY, whole: false },
};
