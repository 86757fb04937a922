import type { ManifestInput, ManifestLayer, ManifestWeights, SequentialManifest } from './manifest';

export type VggDepth = 11 | 13 | 16 | 19;

/** Convolutions in each of the five blocks (Simonyan and Zisserman 2015, table 1: A, B, D, E). */
export const VGG_BLOCKS: Record<VggDepth, readonly number[]> = {
  11: [1, 1, 2, 2, 2],
  13: [2, 2, 2, 2, 2],
  16: [2, 2, 3, 3, 3],
  19: [2, 2, 4, 4, 4],
};

const TORCHVISION = {
  mean: [0.485, 0.456, 0.406],
  std: [0.229, 0.224, 0.225],
} as const;

export interface VggOptions {
  readonly depth: VggDepth;
  readonly name: string;
  readonly description: string;
  readonly licence: string;
  readonly labels: readonly string[];
  readonly weights: ManifestWeights;
  /** Channels of the five blocks; the standard ones unless given. */
  readonly widths?: readonly number[];
  /** Outputs of the first two fully connected layers. */
  readonly hidden?: number;
  readonly inputSize?: number;
  /** ImageNet's, as torchvision has them, unless given. */
  readonly normalisation?: Pick<ManifestInput, 'mean' | 'std'>;
}

/**
 * Manifest of a VGG with torchvision's parameter names (`features.N`, `classifier.0/3/6`), conventional
 * layer names (conv1_1 ... pool5, fc1 ... fc3) and ImageNet's mean and standard deviation.
 */
export function vggManifest(options: VggOptions): SequentialManifest {
  const widths = options.widths ?? [64, 128, 256, 512, 512];
  const hidden = options.hidden ?? 4096;
  const size = options.inputSize ?? 224;
  const layers: ManifestLayer[] = [];
  let module = 0;
  VGG_BLOCKS[options.depth].forEach((count, block) => {
    for (let i = 0; i < count; i++) {
      layers.push({
        type: 'conv',
        name: `conv${block + 1}_${i + 1}`,
        outChannels: widths[block] as number,
        kernel: 3,
        activation: 'relu',
        weight: `features.${module}.weight`,
        bias: `features.${module}.bias`,
      });
      module += 2; // the convolution and its ReLU
    }
    layers.push({ type: 'maxpool', name: `pool${block + 1}` });
    module += 1;
  });
  [hidden, hidden, options.labels.length].forEach((outFeatures, i) => {
    layers.push({
      type: 'linear',
      name: `fc${i + 1}`,
      outFeatures,
      ...(i < 2 ? { activation: 'relu' as const } : {}),
      weight: `classifier.${3 * i}.weight`,
      bias: `classifier.${3 * i}.bias`,
    });
  });
  const lastBlock = VGG_BLOCKS[options.depth][4] as number;
  return {
    format: 'score-cam-webgpu/model',
    version: 1,
    name: options.name,
    description: options.description,
    licence: options.licence,
    input: {
      width: size,
      height: size,
      ...(options.normalisation ?? TORCHVISION),
      resize: 'cover',
    },
    layers,
    targetLayer: `conv5_${lastBlock}`,
    labels: options.labels,
    weights: options.weights,
  };
}
