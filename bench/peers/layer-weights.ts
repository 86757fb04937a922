import { weightBlocks } from '../../src/model/blocks';
import { type Network, type WeightedLayer, weightShape } from '../../src/model/network';
import { elementCount, type WeightSource } from '../../src/model/weight-source';

/** The weights of one layer; they are the reader's until it asks for the next. */
export interface LayerWeights {
  readonly layer: WeightedLayer;
  /** As `weightShape` says. */
  readonly weight: Float32Array;
  /** [outputs] */
  readonly bias: Float32Array;
}

/**
 * All weights of a network as f32, layer by layer in the order of their file, batch normalisation folded in as ours are.
 * @throws Error for a fully connected layer that Keras has laid out
 */
export async function* layerWeights(
  network: Network,
  source: WeightSource,
): AsyncGenerator<LayerWeights, void, undefined> {
  /** Fully connected layers, which come in pieces, and how many rows and biases of them are missing. */
  const arriving = new Map<string, { weight: Float32Array; bias: Float32Array; missing: number }>();
  for await (const block of weightBlocks(network, source, { dtype: 'f32' })) {
    const { layer } = block;
    if (block.kind === 'conv') {
      yield block;
      continue;
    }
    if (block.kind === 'columns') {
      throw new Error(`${source.name} has layer "${layer.name}" in Keras' layout: give torch's.`);
    }
    const shape = weightShape(layer);
    const [outputs = 0, inputs = 0] = shape;
    const known = arriving.get(layer.name) ?? {
      weight: new Float32Array(elementCount(shape)),
      bias: new Float32Array(outputs),
      missing: outputs + 1,
    };
    arriving.set(layer.name, known);
    if (block.kind === 'bias') known.bias.set(block.values);
    else known.weight.set(block.values, block.first * inputs);
    known.missing -= block.kind === 'bias' ? 1 : block.count;
    if (known.missing > 0) continue;
    arriving.delete(layer.name);
    yield { layer, ...known };
  }
}
