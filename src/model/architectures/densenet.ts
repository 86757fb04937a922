import type { GraphManifestLayer } from '../graph/manifest';
import { type Architecture, head, norm, normalised } from './build';

/** Huang et al. 2017, table 1: layers of each dense block. */
const BLOCKS = [6, 12, 24, 16];
const GROWTH = 32;

/**
 * DenseNet-121 as torchvision/models/densenet.py names it. Each layer's features are put behind all before them; a
 * normalisation of such a stack cannot be folded into what computed its parts.
 */
export function densenet121(): Architecture {
  let channels = 64;
  const layers: GraphManifestLayer[] = [
    normalised('features.conv0', 'features.norm0', channels, {
      kernel: 7,
      stride: 2,
      activation: 'relu',
    }),
    { type: 'maxpool', name: 'features.pool0', kernel: 3, stride: 2, padding: 1 },
  ];
  const plain = (name: string, outChannels: number, kernel: number): GraphManifestLayer => ({
    type: 'conv',
    name,
    outChannels,
    kernel,
    weight: `${name}.weight`,
  });
  let stack = 'features.pool0';
  BLOCKS.forEach((count, index) => {
    const block = `features.denseblock${index + 1}`;
    for (let i = 1; i <= count; i++) {
      const layer = `${block}.denselayer${i}`;
      layers.push(
        { ...norm(`${layer}.norm1`, 'relu'), inputs: [stack] },
        normalised(`${layer}.conv1`, `${layer}.norm2`, 4 * GROWTH, {
          kernel: 1,
          activation: 'relu',
        }),
        plain(`${layer}.conv2`, GROWTH, 3),
        { type: 'concat', name: `${layer}.cat`, inputs: [stack, `${layer}.conv2`] },
      );
      stack = `${layer}.cat`;
      channels += GROWTH;
    }
    if (index === BLOCKS.length - 1) return;
    const transition = `features.transition${index + 1}`;
    channels /= 2;
    stack = `${transition}.pool`;
    layers.push(norm(`${transition}.norm`, 'relu'), plain(`${transition}.conv`, channels, 1), {
      type: 'avgpool',
      name: stack,
    });
  });
  return {
    layers: [...layers, norm('features.norm5', 'relu'), ...head('classifier')],
    targetLayer: 'features.norm5',
  };
}
