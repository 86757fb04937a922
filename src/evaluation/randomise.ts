import { ScoreCamError } from '../errors';
import type { Model } from '../model/model';
import { isWeighted, type Network } from '../model/network';
import { seededWeights } from '../model/seeded';

/**
 * The layers with weights from the logits down: 1 layer, 2 layers, ... all. The stages of cascading
 * randomisation (Adebayo et al. 2018).
 */
export function cascade(network: Network): string[][] {
  const names = network.layers.filter(isWeighted).map(({ name }) => name);
  return names.map((_, i) => names.slice(names.length - 1 - i).reverse());
}

/**
 * The model with the weights of `layers` drawn anew (uniform in He's bounds, biases 0), the rest as they are. A
 * map that stays as it was explains the image, not the network.
 * @throws ScoreCamError `option` for a layer that has no weights or whose weights are a file's int8
 */
export function randomised(model: Model, layers: readonly string[], seed: number): Model {
  const { network, weights } = model;
  const drawn = seededWeights(network, seed);
  const replaced = new Map<string, 'weight' | 'bias'>();
  for (const name of layers) {
    const layer = network.layers.find((one) => one.name === name);
    if (!layer || !isWeighted(layer)) {
      throw new ScoreCamError(
        'option',
        `Layer "${name}" has no weights to randomise: name convolutions or fully connected layers.`,
      );
    }
    if (layer.reads) {
      throw new ScoreCamError(
        'option',
        `The weights of "${name}" are folded together from several tensors: convert the model by npm run weights, and ` +
          'randomise what comes out.',
      );
    }
    if (weights.tensors.get(layer.weight)?.dtype === 'I8') {
      throw new ScoreCamError(
        'option',
        `The weights of "${name}" are int8 with scales of their own: randomise the f32 or f16 model.`,
      );
    }
    replaced.set(layer.weight, 'weight');
    replaced.set(layer.bias, 'bias');
  }
  const tensors = new Map(
    [...weights.tensors].map(([name, facts]) => [
      name,
      replaced.has(name) ? { ...facts, dtype: 'F32' as const } : facts,
    ]),
  );
  return {
    ...model,
    weights: {
      ...weights,
      tensors,
      read: async (name, start, count) => {
        const kind = replaced.get(name);
        if (kind === 'bias') return new Float32Array(count);
        return kind ? drawn.read(name, start, count) : weights.read(name, start, count);
      },
    },
  };
}
