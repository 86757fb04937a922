import type { GraphManifest, GraphManifestLayer } from '../graph/manifest';
import { IMAGENET_LABELS } from '../imagenet-labels';

/** Howard et al. 2017, table 1: stride of each depthwise convolution, channels of the pointwise one behind it. */
const BLOCKS = [
  [1, 64],
  [2, 128],
  [1, 128],
  [2, 256],
  [1, 256],
  [2, 512],
  ...Array(5).fill([1, 512]),
  [2, 1024],
  [1, 1024],
] as const satisfies readonly (readonly [number, number])[];

/** By the digits of the preset's name: width as the address says it, published top-1. Files of 2, 5, 10 and 17 MB. */
const WIDTHS = {
  '025': ['0.25', 50.6],
  '050': ['0.50', 63.7],
  '075': ['0.75', 68.4],
  '100': ['1.0', 70.9],
} as const;

/** Keras' default. */
const EPSILON = 1e-3;

/**
 * MobileNet v1 at 224x224 as Keras Applications names its tensors: the models that TensorFlow.js' own examples load.
 * @returns undefined where there is none of that name
 */
export function mobilenetV1(preset: string): GraphManifest | undefined {
  const [, digits = ''] = /^mobilenet-v1-(025|050|075|100)$/.exec(preset) ?? [];
  const found = (WIDTHS as Readonly<Record<string, (typeof WIDTHS)[keyof typeof WIDTHS]>>)[digits];
  if (!found) return undefined;
  const [width, top1] = found;
  let channels = 32 * Number(width);
  const conv = (
    name: string,
    kernelName: string,
    shape: { outChannels: number; kernel: number; stride: number; groups: number },
  ): GraphManifestLayer => ({
    type: 'conv',
    name,
    ...shape,
    padding: 'same',
    activation: 'relu6',
    weight: `${name}/${kernelName}`,
    batchNorm: {
      scale: `${name}_bn/gamma`,
      shift: `${name}_bn/beta`,
      mean: `${name}_bn/moving_mean`,
      variance: `${name}_bn/moving_variance`,
      epsilon: EPSILON,
    },
  });
  const layers = [
    conv('conv1', 'kernel', { outChannels: channels, kernel: 3, stride: 2, groups: 1 }),
  ];
  BLOCKS.forEach(([stride, full], i) => {
    const spread = { outChannels: channels, kernel: 3, stride, groups: channels };
    layers.push(conv(`conv_dw_${i + 1}`, 'depthwise_kernel', spread));
    channels = full * Number(width);
    const point = { outChannels: channels, kernel: 1, stride: 1, groups: 1 };
    layers.push(conv(`conv_pw_${i + 1}`, 'kernel', point));
  });
  return {
    format: 'score-cam-webgpu/model',
    version: 2,
    name: preset,
    description: `MobileNet v1 of width ${width}, trained on ImageNet-1k (${top1} % top-1 as published): 1000 classes, 224x224.`,
    licence: 'Apache-2.0 (TensorFlow)',
    // rgb / 127.5 - 1
    input: {
      width: 224,
      height: 224,
      mean: [0.5, 0.5, 0.5],
      std: [0.5, 0.5, 0.5],
      resize: 'cover',
    },
    layers: [
      ...layers,
      { type: 'globalavgpool', name: 'global_average_pooling2d' },
      {
        type: 'linear',
        name: 'conv_preds',
        outFeatures: 1000,
        weight: 'conv_preds/kernel',
        bias: 'conv_preds/bias',
      },
    ],
    targetLayer: 'conv_pw_13',
    labels: IMAGENET_LABELS,
    weights: {
      format: 'tensorflowjs',
      file: `https://storage.googleapis.com/tfjs-models/tfjs/mobilenet_v1_${width}_224/model.json`,
      channelOrder: 'rgb',
    },
  };
}
