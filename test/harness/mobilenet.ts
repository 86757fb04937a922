/** MobileNet v1 0.75 at 192x192 of the reference data, models/mobilenet-v1-075-192. */
import { type Model, openModel } from '../../src/index';
import {
  type GraphManifest,
  type GraphManifestLayer,
  parseGraph,
} from '../../src/model/graph/manifest';
import { sharedJson } from './shared';

/** Stride of each depthwise convolution, and channels of the pointwise one behind it. */
const BLOCKS = [
  [1, 48],
  [2, 96],
  [1, 96],
  [2, 192],
  [1, 192],
  [2, 384],
  [1, 384],
  [1, 384],
  [1, 384],
  [1, 384],
  [1, 384],
  [2, 768],
  [1, 768],
] as const;

/** Its input is (rgb - 128) / 128. */
const MIDDLE = 128 / 255;

export function mobilenetManifest(labels: readonly string[]): GraphManifest {
  let channels = 24;
  const conv = (
    name: string,
    outChannels: number,
    kernel: number,
    stride: number,
    groups: number,
  ): GraphManifestLayer => ({
    type: 'conv',
    name,
    outChannels,
    kernel,
    stride,
    groups,
    padding: 'same',
    activation: 'relu6',
    weight: `${name}.weight`,
    bias: `${name}.bias`,
  });
  const blocks = BLOCKS.flatMap(([stride, outChannels], i) => {
    const depthwise = conv(`dw${i + 1}`, channels, 3, stride, channels);
    channels = outChannels;
    return [depthwise, conv(`pw${i + 1}`, outChannels, 1, 1, 1)];
  });
  return parseGraph({
    format: 'score-cam-webgpu/model',
    version: 2,
    name: 'mobilenet-v1-075-192',
    description: 'MobileNet v1, width 0.75, ImageNet-1k',
    licence: 'Apache-2.0',
    input: {
      width: 192,
      height: 192,
      mean: [MIDDLE, MIDDLE, MIDDLE],
      std: [MIDDLE, MIDDLE, MIDDLE],
      resize: 'cover',
    },
    layers: [
      conv('conv1', 24, 3, 2, 1),
      ...blocks,
      { type: 'globalavgpool', name: 'pool' },
      { type: 'linear', name: 'fc', outFeatures: 1000, weight: 'fc.weight', bias: 'fc.bias' },
    ],
    targetLayer: 'pw13',
    labels,
    weights: { format: 'safetensors', file: 'mobilenet.safetensors' },
  });
}

/** With its weights. @param sharedUrl address of the reference data, ending in '/' */
export async function openMobileNet(sharedUrl: string): Promise<Model> {
  const folder = `${sharedUrl}models/mobilenet-v1-075-192/`;
  const labels = await sharedJson<string[]>(folder, 'labels.json');
  return openModel(mobilenetManifest(labels), new URL(folder));
}
