import type { GraphManifestLayer } from '../graph/manifest';
import { type Architecture, biased } from './build';

/** Channels that each fire module squeezes to, a quarter of what its halves expand to; 0 is a pooling. */
const FIRES = [0, 16, 16, 0, 32, 32, 0, 48, 48, 64, 64];

/** SqueezeNet 1.1 (Iandola et al. 2016 and their repository), as torchvision/models/squeezenet.py names it. */
export function squeezenet(): Architecture {
  const layers: GraphManifestLayer[] = [
    biased('features.0', 64, { kernel: 3, stride: 2, padding: 0, activation: 'relu' }),
  ];
  let last = '';
  FIRES.forEach((channels, index) => {
    last = `features.${index + 2}`;
    if (channels === 0) {
      layers.push({ type: 'maxpool', name: last, kernel: 3, stride: 2, ceil: true });
      return;
    }
    const [squeeze, one, three] = ['squeeze', 'expand1x1', 'expand3x3'].map(
      (part) => `${last}.${part}`,
    ) as [string, string, string];
    const shape = { activation: 'relu', inputs: [squeeze] } as const;
    layers.push(
      biased(squeeze, channels, { kernel: 1, activation: 'relu' }),
      biased(one, 4 * channels, { kernel: 1, ...shape }),
      biased(three, 4 * channels, { kernel: 3, ...shape }),
      { type: 'concat', name: last, inputs: [one, three] },
    );
  });
  return {
    layers: [
      ...layers,
      biased('classifier.1', 1000, { kernel: 1, activation: 'relu' }),
      { type: 'globalavgpool', name: 'avgpool' },
    ],
    targetLayer: last,
  };
}
