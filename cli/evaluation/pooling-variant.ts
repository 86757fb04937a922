/// Runs in headless Chrome: gives a network the head that CAM needs.

import type { Model } from '../../src/index';
import type { SequentialManifest } from '../../src/model/manifest';
import { buildNetwork } from '../../src/model/network';
import { seededWeights } from '../../src/model/seeded';

const POOLING = 'pooling head: average';
const LINEAR = 'pooling head: linear';

/**
 * The network up to its target layer, and behind that a global average pooling and one linear layer whose weights
 * are drawn. Its classes are guesses; that CAM is Grad-CAM up to scale holds for any weights.
 */
export function withPoolingHead({ manifest, weights }: Model, seed: number): Model {
  if (manifest.version !== 1) throw new Error('Only a sequential network gets another head.');
  const { layers, labels, targetLayer, name } = manifest;
  const last = layers.findIndex((layer) => layer.name === targetLayer);
  const changed: SequentialManifest = {
    ...manifest,
    name: `${name} with a pooling head`,
    layers: [
      ...layers.slice(0, last + 1),
      { type: 'globalavgpool', name: POOLING },
      {
        type: 'linear',
        name: LINEAR,
        outFeatures: labels.length,
        activation: undefined,
        weight: `${LINEAR}.weight`,
        bias: `${LINEAR}.bias`,
      },
    ],
  };
  const network = buildNetwork(changed);
  const drawn = seededWeights(network, seed);
  const own = [...drawn.tensors].filter(([tensor]) => tensor.startsWith(LINEAR));
  return {
    manifest: changed,
    network,
    weights: {
      ...weights,
      tensors: new Map([...weights.tensors, ...own]),
      read: (tensor, start, count) =>
        (tensor.startsWith(LINEAR) ? drawn : weights).read(tensor, start, count),
    },
  };
}
