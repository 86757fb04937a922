import { ScoreCamError } from '../errors';
import { type Network, targetIndex } from '../model/network';
import { poolingHead } from './cam-head';
import {
  BASELINES,
  GRADIENTS_OF,
  METHODS,
  type MethodOption,
  NUMBERS,
  type NumberOption,
} from './method-options';
import type { Baseline, GradientOf, Method, MethodOptions, Weighting } from './types';
import { weightings } from './weightings';

const MATTERS_TO = Object.entries(METHODS);
const OPTIONS = [...new Set(Object.values(METHODS).flat())] as readonly MethodOption[];

/** What is to be done, checked against the network, with every default filled in. */
export interface Choice extends Readonly<Partial<Record<NumberOption, number>>> {
  readonly method: Method;
  /** None for rise, which looks into no layer. */
  readonly layers: readonly string[];
  /** Sorted, without repeats; undefined for all. */
  readonly channels: readonly number[] | undefined;
  /** Of score-cam and faster-score-cam, else undefined. */
  readonly weighting: Weighting | undefined;
  readonly alignCorners: boolean;
  readonly baseline: Baseline;
  /** Of the gradient methods, else undefined. */
  readonly of: GradientOf | undefined;
}

/** @throws ScoreCamError `option` naming what does not fit and what does. */
export function choose(options: MethodOptions, network: Network): Choice {
  const method = oneOf('method', options.method ?? 'score-cam', Object.keys(METHODS) as Method[]);
  refuseForeign(method, options);
  const weighting = oneOf(
    'weighting',
    options.weighting ?? 'probability',
    Object.keys(weightings) as Weighting[],
  );
  const baseline = oneOf('baseline', options.baseline ?? 'mean', BASELINES);
  const of = oneOf('of', options.of ?? 'logit', GRADIENTS_OF);
  const { alignCorners } = options;
  if (alignCorners !== undefined && typeof alignCorners !== 'boolean') {
    throw new ScoreCamError('option', `alignCorners is ${alignCorners}, must be true or false.`);
  }
  if (options.baseline !== undefined && !weightings[weighting].needsBaseline) {
    const using = (Object.keys(weightings) as Weighting[]).filter(
      (name) => weightings[name].needsBaseline,
    );
    throw new ScoreCamError(
      'option',
      `The weighting "${weighting}" compares with no baseline, so baseline "${baseline}" would change ` +
        `nothing: leave it out, or use the weighting ${using.join(' or ')}.`,
    );
  }
  if (method === 'rise' && options.layer !== undefined) {
    throw new ScoreCamError(
      'option',
      `The method rise looks into no layer, so layer "${options.layer}" would change nothing: leave it out.`,
    );
  }
  const layers = method === 'rise' ? [] : layersOf(options.layer ?? network.targetLayer, network);
  if (method === 'cam') for (const layer of layers) poolingHead(network, layer);
  return {
    method,
    layers,
    channels: channelsOf(options.channels, layers, network),
    weighting: METHODS[method].includes('weighting') ? weighting : undefined,
    alignCorners: alignCorners ?? weightings[weighting].alignCorners,
    baseline,
    of: METHODS[method].includes('of') ? of : undefined,
    ...numbersOf(method, options),
  };
}

/** The numbers that a method takes. `top` is a default of faster-score-cam alone; others evaluate all. */
function numbersOf(method: Method, options: MethodOptions): Partial<Record<NumberOption, number>> {
  const taken = (Object.keys(NUMBERS) as NumberOption[]).filter((option) =>
    METHODS[method].includes(option),
  );
  if (options.channels !== undefined && options.top !== undefined) {
    throw new ScoreCamError(
      'option',
      'Both "channels" and "top" say which channels to evaluate: give one of them.',
    );
  }
  return Object.fromEntries(
    taken.flatMap((option) => {
      const { fallback, least, whole } = NUMBERS[option];
      const value = options[option];
      if (value === undefined) {
        return option === 'top' && method !== 'faster-score-cam' ? [] : [[option, fallback]];
      }
      if (Number.isFinite(value) && value >= least && (!whole || Number.isInteger(value))) {
        return [[option, value]];
      }
      throw new ScoreCamError(
        'option',
        `${option} is ${value}, must be a ${whole ? 'whole ' : ''}number from ${least} on.`,
      );
    }),
  );
}

function refuseForeign(method: Method, options: MethodOptions): void {
  for (const option of OPTIONS) {
    if (options[option] === undefined || METHODS[method].includes(option)) continue;
    const taking = MATTERS_TO.filter(([, taken]) => taken.includes(option)).map(([name]) => name);
    const takes = METHODS[method];
    throw new ScoreCamError(
      'option',
      `The method ${method} has no use for "${option}", which belongs to ${taking.join(', ')}. ` +
        `${method} takes ${takes.length > 0 ? takes.map((name) => `"${name}"`).join(', ') : 'none of these'}.`,
    );
  }
}

/** @throws ScoreCamError `option` listing what there is. */
export function oneOf<T extends string>(option: string, value: T, allowed: readonly T[]): T {
  if (allowed.includes(value)) return value;
  throw new ScoreCamError(
    'option',
    `There is no ${option} "${value}". Choose from: ${allowed.join(', ')}.`,
  );
}

function layersOf(asked: string | readonly string[], network: Network): readonly string[] {
  const layers = typeof asked === 'string' ? [asked] : asked;
  if (layers.length === 0) {
    throw new ScoreCamError(
      'option',
      `The list of layers is empty: name one or several, or leave it out for ${network.targetLayer}.`,
    );
  }
  for (const layer of layers) targetIndex(network, layer);
  const twice = layers.find((layer, i) => layers.indexOf(layer) !== i);
  if (twice !== undefined) {
    throw new ScoreCamError('option', `Layer "${twice}" is listed twice: name each layer once.`);
  }
  return layers;
}

function channelsOf(
  asked: readonly number[] | undefined,
  layers: readonly string[],
  network: Network,
): readonly number[] | undefined {
  if (!asked) return undefined;
  if (layers.length > 1) {
    throw new ScoreCamError(
      'option',
      `"channels" numbers the channels of one layer, and ${layers.length} are asked for ` +
        `(${layers.join(', ')}): give one layer, or leave "channels" out.`,
    );
  }
  const index = targetIndex(network, layers[0] as string);
  const total = network.layers[index]?.output.channels as number;
  const bad = asked.find((k) => !Number.isInteger(k) || k < 0 || k >= total);
  if (bad !== undefined || asked.length === 0) {
    throw new ScoreCamError(
      'option',
      `${bad === undefined ? 'The list of channels is empty' : `There is no channel ${bad}`}: ` +
        `the target layer's channels are numbered 0 to ${total - 1}.`,
    );
  }
  return [...new Set(asked)].sort((a, b) => a - b);
}
