import { type Layer, type Network, sizeOf } from '../../model/network';
import { NO_ACTIVATION } from '../../numbers/activation';
import { needsBefore } from '../../plan/graph/nodes';
import { beforeActivation } from '../../plan/steps';

/**
 * Tensors that the way back from the logits to `targets` reads: what activations gave, or what went into those whose
 * derivative it takes; what maxima are of; and factors. The last layer's output is the logits, which are known.
 */
export function layersToKeep(network: Network, targets: readonly string[]): string[] {
  const { layers } = network;
  const behind = behindAny(network, targets);
  const names = layers
    .filter(({ name }) => behind.has(name))
    .flatMap((layer) => [...bendOf(layer), ...inputsToKeep(layer)]);
  return [...new Set(names)].filter((name) => name !== layers.at(-1)?.name);
}

/** The layers that depend on one of the targets, these apart unless they depend on each other. */
export function behindAny({ layers }: Network, targets: readonly string[]): ReadonlySet<string> {
  const behind = new Set<string>();
  for (const { name, inputs } of layers) {
    if (inputs.some((input) => behind.has(input) || targets.includes(input))) behind.add(name);
  }
  return behind;
}

/** The tensor that tells the derivative of a layer's activation. */
export function bendOf(layer: Layer): string[] {
  if (!('activation' in layer) || layer.activation === NO_ACTIVATION) return [];
  if (!needsBefore(layer)) return [layer.name];
  return layer.type === 'activation' ? [...layer.inputs] : [beforeActivation(layer.name)];
}

function inputsToKeep(layer: Layer): readonly string[] {
  const isMaxPool = layer.type === 'maxpool' || (layer.type === 'windowpool' && layer.of === 'max');
  return isMaxPool || layer.type === 'multiply' ? layer.inputs : [];
}

/** Values of the first factor for each of the second. */
export function shareOf(network: Network, { inputs, input }: Layer): number {
  const second = network.layers.find(({ name }) => name === inputs[1]) as Layer;
  return sizeOf(input) / sizeOf(second.output);
}
