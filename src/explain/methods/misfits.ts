import { ScoreCamError } from '../../errors';
import type { Network } from '../../model/network';
import type { Baseline, MethodOption, Weighting } from './options';
import { METHODS, type Method, takers } from './registry';
import { weightings } from './weightings';

/* Options that are right by themselves, but not together or not for the network. Loaded when there are such. */

function fail(message: string): never {
  throw new ScoreCamError('option', message);
}

/** An option of other methods. */
export function foreign(method: Method, option: MethodOption): never {
  const takes = Object.keys(METHODS[method].options).map((name) => `"${name}"`);
  fail(
    `The method ${method} has no use for "${option}", which belongs to ${takers(option).join(', ')}. ` +
      `${method} takes ${takes.length > 0 ? takes.join(', ') : 'none of these'}.`,
  );
}

export function uselessBaseline(weighting: Weighting, baseline: Baseline): never {
  const using = Object.entries(weightings).filter(([, { needsBaseline }]) => needsBaseline);
  fail(
    `The weighting "${weighting}" compares with no baseline, so baseline "${baseline}" would change ` +
      `nothing: leave it out, or use the weighting ${using.map(([name]) => name).join(' or ')}.`,
  );
}

export function uselessRivals(): never {
  fail(
    '"rivals" and "rivalWeights" say which classes "contrast" subtracts, and how: give contrast as well, above 0, or leave ' +
      'them out.',
  );
}

export function channelsTwice(): never {
  fail('Both "channels" and "top" say which channels to evaluate: give one of them.');
}

export function uselessLayer(method: Method, layer: string | readonly string[]): never {
  fail(
    `The method ${method} looks into no layer, so layer "${layer}" would change nothing: leave it out.`,
  );
}

export function noLayer({ targetLayer }: Network): never {
  fail(`The list of layers is empty: name one or several, or leave it out for ${targetLayer}.`);
}

export function layerTwice(layers: readonly string[]): never {
  const twice = layers.find((layer, i) => layers.indexOf(layer) !== i);
  fail(`Layer "${twice}" is listed twice: name each layer once.`);
}

/** @param total channels of the first layer */
export function wrongChannels(
  channels: readonly number[],
  layers: readonly string[],
  total: number,
): never {
  if (layers.length > 1) {
    fail(
      `"channels" numbers the channels of one layer, and ${layers.length} are asked for ` +
        `(${layers.join(', ')}): give one layer, or leave "channels" out.`,
    );
  }
  const bad = channels.find((k) => !Number.isInteger(k) || k < 0 || k >= total);
  fail(
    `${bad === undefined ? 'The list of channels is empty' : `There is no channel ${bad}`}: ` +
      `the target layer's channels are numbered 0 to ${total - 1}.`,
  );
}

/** A class that the model does not have, by index or label. */
export function noClass(wanted: number | string, labels: readonly string[]): never {
  if (typeof wanted === 'number') {
    fail(`There is no class ${wanted}: classes are numbered 0 to ${labels.length - 1}.`);
  }
  const part = wanted.trim().toLowerCase();
  const close = labels.filter((label) => label.toLowerCase().includes(part));
  const shown = (close.length > 0 ? close : labels).slice(0, 12);
  fail(
    `There is no class "${wanted.slice(0, 60)}". ${close.length > 0 ? 'Close' : 'Classes'}: ${shown.join(', ')}` +
      `${(close.length || labels.length) > shown.length ? ', ...' : ''}.`,
  );
}
