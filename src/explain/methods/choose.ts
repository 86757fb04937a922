import { ScoreCamError } from '../../errors';
import { type Network, targetIndex } from '../../model/network';
import { oneOf } from '../one-of';
import type { Choice, MethodDescription } from './method';
import type { MethodOptions } from './method-options';
import {
  BASELINES,
  GRADIENTS_OF,
  type MethodOption,
  NUMBERS,
  type NumberOption,
  type Weighting,
} from './options';
import { METHOD_NAMES, METHODS, type Method, OPTIONS, takers } from './registry';
import { weightings } from './weightings';

/** A method, and what it is to do. */
export interface Chosen extends Choice {
  readonly method: Method;
}

/** @throws ScoreCamError `option` naming what does not fit and what does. */
export function choose(options: MethodOptions, network: Network): Chosen {
  const method = oneOf('method', options.method ?? 'score-cam', METHOD_NAMES);
  const description = METHODS[method];
  refuseForeign(description, options);
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
  const { usesLayer, check } = description;
  if (!usesLayer && options.layer !== undefined) {
    throw new ScoreCamError(
      'option',
      `The method ${method} looks into no layer, so layer "${options.layer}" would change nothing: leave it out.`,
    );
  }
  const layers = usesLayer ? layersOf(options.layer ?? network.targetLayer, network) : [];
  check?.(network, layers);
  return {
    method,
    layers,
    channels: channelsOf(options.channels, layers, network),
    weighting: 'weighting' in description.options ? weighting : undefined,
    alignCorners: alignCorners ?? weightings[weighting].alignCorners,
    baseline,
    of: 'of' in description.options ? of : undefined,
    ...numbersOf(description, options),
  };
}

/** The methods that are defined at a layer. */
export function admittedMethods(network: Network, layer: string): readonly Method[] {
  return METHOD_NAMES.filter((name) => {
    try {
      METHODS[name].check?.(network, [layer]);
      return true;
    } catch (error) {
      if (!(error instanceof ScoreCamError)) throw error;
      return false;
    }
  });
}

/** The numbers that a method takes, where they are given or it has a default. */
function numbersOf(
  { options: defaults }: MethodDescription,
  options: MethodOptions,
): Partial<Record<NumberOption, number>> {
  const taken = (Object.keys(NUMBERS) as NumberOption[]).filter((option) => option in defaults);
  if (options.channels !== undefined && options.top !== undefined) {
    throw new ScoreCamError(
      'option',
      'Both "channels" and "top" say which channels to evaluate: give one of them.',
    );
  }
  return Object.fromEntries(
    taken.flatMap((option) => {
      const { least, whole } = NUMBERS[option];
      const value = options[option] ?? defaults[option];
      if (value === undefined) return [];
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

function refuseForeign({ name, options: taken }: MethodDescription, options: MethodOptions): void {
  const foreign = OPTIONS.find((option) => options[option] !== undefined && !(option in taken));
  if (foreign === undefined) return;
  const takes = (Object.keys(taken) as MethodOption[]).map((option) => `"${option}"`);
  throw new ScoreCamError(
    'option',
    `The method ${name} has no use for "${foreign}", which belongs to ${takers(foreign).join(', ')}. ` +
      `${name} takes ${takes.length > 0 ? takes.join(', ') : 'none of these'}.`,
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
