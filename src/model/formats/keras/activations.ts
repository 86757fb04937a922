import { shown } from '../../../errors';
import type { GraphActivation } from '../../graph/manifest';
import { isObject, type JsonObject } from '../json';

/** What a layer does to each number: undefined is nothing. */
export type Bend = GraphActivation | 'softmax' | undefined | { readonly unsupported: string };

const KNOWN: Readonly<Record<string, Exclude<Bend, { unsupported: string }>>> = {
  linear: undefined,
  relu: 'relu',
  relu6: 'relu6',
  sigmoid: 'sigmoid',
  swish: 'silu',
  silu: 'silu',
  softmax: 'softmax',
};

/** Keras 3's own: earlier ones meant other functions by the same names, or have none. */
const OF_KERAS_3: Readonly<Record<string, GraphActivation>> = {
  hard_sigmoid: 'hardsigmoid',
  hard_swish: 'hardswish',
  hard_silu: 'hardswish',
  leaky_relu: { leakyRelu: 0.2 },
};

/** An activation by its name, or by `{ class_name, config }` where it is a layer. */
export function activationOf(value: unknown, isKeras3: boolean): Bend {
  if (value === undefined || value === null) return undefined;
  if (isObject(value)) {
    const config = isObject(value.config) ? value.config : {};
    if (value.class_name === 'ReLU') return reluOf(config);
    if (value.class_name === 'LeakyReLU') return leakyReluOf(config);
  }
  const name = isObject(value) ? (value.config ?? value.class_name) : value;
  if (typeof name === 'string') {
    if (Object.hasOwn(KNOWN, name)) return KNOWN[name];
    if (isKeras3 && Object.hasOwn(OF_KERAS_3, name)) return OF_KERAS_3[name];
  }
  const names = [...Object.keys(KNOWN), ...(isKeras3 ? Object.keys(OF_KERAS_3) : [])];
  return { unsupported: `has the activation ${shown(name)}; supported are ${names.join(', ')}` };
}

/** Of a ReLU layer: `max_value` and `negative_slope`. */
export function reluOf({ max_value: most, negative_slope: slope, threshold }: JsonObject): Bend {
  const says = `has the max_value ${shown(most)}, negative_slope ${shown(slope)} and threshold ${shown(threshold)}`;
  const numbers = [most ?? 1, slope ?? 0, threshold ?? 0].map((v) => (Array.isArray(v) ? v[0] : v));
  if (!numbers.every((v) => typeof v === 'number') || numbers[2] !== 0) {
    return { unsupported: `${says}; numbers, and no threshold, are supported` };
  }
  const [ceiling, leak] = numbers as [number, number];
  const hasCeiling = most !== undefined && most !== null;
  if (leak === 0) {
    if (!hasCeiling) return 'relu';
    if (ceiling > 0 && ceiling < 1e4) return ceiling === 6 ? 'relu6' : { ceiling };
  } else if (!hasCeiling && leak > 0 && leak <= 1) {
    return { leakyRelu: leak };
  }
  return { unsupported: `${says}; a ceiling above 0, or a slope from 0 to 1, is supported` };
}

/** Of a LeakyReLU layer: `alpha`, or Keras 3's `negative_slope`. */
export function leakyReluOf({ alpha, negative_slope: slope }: JsonObject): Bend {
  const stated = slope ?? alpha ?? 0.3;
  const leak = Array.isArray(stated) && stated.length === 1 ? stated[0] : stated;
  return typeof leak === 'number' && leak >= 0 && leak <= 1
    ? { leakyRelu: leak }
    : { unsupported: `has the slope ${shown(stated)}; 0 to 1 is supported` };
}
