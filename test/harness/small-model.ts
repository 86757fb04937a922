import type { Manifest, ManifestLayer } from '../../src/model/manifest';
import { parseManifest } from '../../src/model/manifest';
import type { Model } from '../../src/model/model';
import { buildNetwork } from '../../src/model/network';
import type { WeightSource } from '../../src/model/weight-source';
import { testValues } from './compare';
import { imageOf } from './png';

/** 3x3 and 1x1 convolutions, odd sizes and channels, leaky ReLU, fused and lone pooling, three linears. */
const VGG_LIKE: readonly ManifestLayer[] = [
  conv('conv1', 5, 3, { leakyRelu: 0.1 }),
  { type: 'maxpool', name: 'pool1' },
  conv('conv2', 9, 1, undefined),
  conv('conv3', 7, 3, 'relu'),
  { type: 'maxpool', name: 'pool3' },
  linear('fc1', 11, 'relu'),
  linear('fc2', 6, 'relu'),
  linear('fc3', 4, undefined),
];

/** A global-pooling head behind a 1x1 convolution. */
const POOLING_HEAD: readonly ManifestLayer[] = [
  conv('conv1', 6, 3, 'relu'),
  conv('conv2', 5, 3, { leakyRelu: 0.1 }),
  conv('conv3', 3, 1, undefined),
  { type: 'globalavgpool', name: 'gap' },
];

export const smallLayers = { vggLike: VGG_LIKE, poolingHead: POOLING_HEAD } as const;

type Activation = Extract<ManifestLayer, { type: 'conv' }>['activation'];

function conv(
  name: string,
  outChannels: number,
  kernel: 1 | 3,
  activation: Activation,
): ManifestLayer {
  const tensors = { weight: `${name}.weight`, bias: `${name}.bias` };
  return { type: 'conv', name, outChannels, kernel, activation, ...tensors };
}

function linear(name: string, outFeatures: number, activation: Activation): ManifestLayer {
  const tensors = { weight: `${name}.weight`, bias: `${name}.bias` };
  return { type: 'linear', name, outFeatures, activation, ...tensors };
}

export interface SmallModelOptions {
  readonly layers?: readonly ManifestLayer[];
  readonly targetLayer?: string;
  readonly width?: number;
  readonly height?: number;
  /** Changes a tensor's reproducible random values. */
  readonly change?: (tensor: string, values: Float32Array) => void;
}

/** A network small enough for a reference in nested loops, with reproducible random weights. */
export function smallModel(options: SmallModelOptions = {}): Model {
  const { layers = VGG_LIKE, targetLayer = 'conv3', width = 17, height = 14 } = options;
  const outputs = layers.findLast((layer) => 'outFeatures' in layer || 'outChannels' in layer);
  const classes = outputs && 'outFeatures' in outputs ? outputs.outFeatures : 3;
  const manifest: Manifest = parseManifest({
    format: 'score-cam-webgpu/model',
    version: 1,
    name: 'small',
    description: 'a small network with random weights',
    licence: 'MIT',
    input: { width, height, mean: [0.5, 0.4, 0.3], std: [0.2, 0.25, 0.3], resize: 'cover' },
    layers,
    targetLayer,
    labels: Array.from({ length: classes }, (_, i) => `thing ${i}`),
    weights: { format: 'safetensors', file: 'none' },
  });
  const network = buildNetwork(manifest);
  return { manifest, network, weights: randomWeights(network, options.change) };
}

function randomWeights(
  network: Model['network'],
  change: SmallModelOptions['change'],
): WeightSource {
  const tensors = new Map<
    string,
    { shape: number[]; dtype: 'F32'; values: Float32Array<ArrayBuffer> }
  >();
  for (const layer of network.layers) {
    if (layer.type !== 'conv' && layer.type !== 'linear') continue;
    const { channels: outputs } = layer.output;
    const inputs = layer.input.channels * layer.input.height * layer.input.width;
    const shape =
      layer.type === 'conv'
        ? [outputs, layer.input.channels, layer.kernel, layer.kernel]
        : [outputs, inputs];
    const fanIn = shape.slice(1).reduce((a, b) => a * b, 1);
    const add = (name: string, tensorShape: number[], scale: number): void => {
      const values = new Float32Array(
        testValues(
          tensorShape.reduce((a, b) => a * b, 1),
          tensors.size + 1,
        ),
      );
      for (let i = 0; i < values.length; i++) values[i] = (values[i] as number) * scale;
      change?.(name, values);
      tensors.set(name, { shape: tensorShape, dtype: 'F32', values });
    };
    add(layer.weight, shape, 2 * Math.sqrt(3 / fanIn));
    add(layer.bias, [outputs], 0.1);
  }
  return {
    name: 'random weights',
    tensors,
    read: async (name, start, count) =>
      (tensors.get(name)?.values ?? new Float32Array(0)).slice(start, start + count),
  };
}

/** A reproducible picture of random coloured pixels. */
export function smallImage(width = 17, height = 14, seed = 99): ImageData {
  const data = Uint8ClampedArray.from(testValues(4 * width * height, seed), (v) => 128 + 127 * v);
  for (let i = 3; i < data.length; i += 4) data[i] = 255;
  return imageOf(data, width, height);
}
