import type { GraphManifestLayer } from '../graph/manifest';
import { type Architecture, head, normalised } from './build';

/** Sandler et al. 2018, table 2: expansion, channels, blocks, stride of the first of them. */
const STAGES = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
] as const;

/** As torchvision/models/mobilenetv2.py names it. */
export function mobilenetV2(): Architecture {
  const layers: GraphManifestLayer[] = [
    normalised('features.0.0', 'features.0.1', 32, { kernel: 3, stride: 2, activation: 'relu6' }),
  ];
  let [before, channels, feature] = ['features.0.0', 32, 1];
  for (const [expansion, outChannels, blocks, firstStride] of STAGES) {
    for (let index = 0; index < blocks; index++) {
      const block = `features.${feature++}`;
      const stride = index === 0 ? firstStride : 1;
      const inner = channels * expansion;
      const part = (place: number): string => `${block}.conv.${place}`;
      let place = 0;
      let inside = before;
      if (expansion > 1) {
        inside = `${part(place)}.0`;
        layers.push(
          normalised(inside, `${part(place++)}.1`, inner, {
            inputs: [before],
            kernel: 1,
            activation: 'relu6',
          }),
        );
      }
      const depthwise = { kernel: 3, stride, groups: inner, activation: 'relu6' } as const;
      const spread = `${part(place)}.0`;
      layers.push(
        normalised(spread, `${part(place++)}.1`, inner, { inputs: [inside], ...depthwise }),
        normalised(part(place), part(place + 1), outChannels, { inputs: [spread], kernel: 1 }),
      );
      const narrow = part(place);
      const isAdded = stride === 1 && channels === outChannels;
      if (isAdded) layers.push({ type: 'add', name: block, inputs: [narrow, before] });
      [before, channels] = [isAdded ? block : narrow, outChannels];
    }
  }
  const last = `features.${feature}.0`;
  const shape = { inputs: [before], kernel: 1, activation: 'relu6' } as const;
  return {
    layers: [
      ...layers,
      normalised(last, `features.${feature}.1`, 1280, shape),
      ...head('classifier.1'),
    ],
    targetLayer: last,
  };
}
