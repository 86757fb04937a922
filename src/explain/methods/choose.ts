import { ScoreCamError } from '../../errors';
import { type Layer, type Network, targetIndex } from '../../model/network';
import type { Choice } from './method';
import type { MethodOptions } from './method-options';
import { type MethodOption, OPTIONS, type OptionValues } from './options';
import { METHOD_NAMES, METHODS, type Method } from './registry';
import { weightings } from './weightings';

/** A method, and what it is to do. */
export interface Chosen extends Choice {
  readonly method: Method;
}

/** What does not fit is told by code that comes when something does not. */
const misfits = () => import('./misfits');

/**
 * @param options each as its rule says
 * @throws ScoreCamError `option` naming what does not fit together, or not the network, and what does
 */
export async function choose(options: MethodOptions, network: Network): Promise<Chosen> {
  const { method = 'score-cam', layer, baseline, channels, top } = options;
  const { options: defaults, usesLayer, check } = METHODS[method];
  const names = Object.keys(OPTIONS) as MethodOption[];
  const foreign = names.find((name) => options[name] !== undefined && !(name in defaults));
  if (foreign) return (await misfits()).foreign(method, foreign);
  const values: OptionValues = Object.fromEntries(
    names.map((name) => [name, options[name] ?? defaults[name]]),
  );
  const { weighting = 'probability' } = values;
  if (baseline && !weightings[weighting].needsBaseline) {
    return (await misfits()).uselessBaseline(weighting, baseline);
  }
  if ((options.rivals || options.rivalWeights) && !options.contrast)
    return (await misfits()).uselessRivals();
  if (channels && top) return (await misfits()).channelsTwice();
  if (layer !== undefined && !usesLayer) return (await misfits()).uselessLayer(method, layer);
  const layers = usesLayer ? [layer ?? network.targetLayer].flat() : [];
  if (usesLayer && layers.length === 0) return (await misfits()).noLayer(network);
  const indices = layers.map((name) => targetIndex(network, name));
  if (new Set(layers).size < layers.length) return (await misfits()).layerTwice(layers);
  check?.(network, layers);
  if (channels) {
    const total = (network.layers[indices[0] as number] as Layer).output.channels;
    const isRight = (k: number): boolean => Number.isInteger(k) && k >= 0 && k < total;
    if (layers.length > 1 || channels.length === 0 || !channels.every(isRight)) {
      return (await misfits()).wrongChannels(channels, layers, total);
    }
  }
  return {
    ...values,
    method,
    layers,
    channels: channels && [...new Set(channels)].sort((a, b) => a - b),
    weighting: 'weighting' in defaults ? weighting : undefined,
    alignCorners: values.alignCorners ?? weightings[weighting].alignCorners,
    baseline: values.baseline ?? 'mean',
    of: values.of,
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
