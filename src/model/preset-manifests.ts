import { architecturePreset } from './architectures/manifests';
import { mobilenetV1 } from './architectures/mobilenet-v1';
import { IMAGENET_LABELS } from './imagenet-labels';
import { type Manifest, parseManifest } from './manifest';
import { type VggDepth, type VggOptions, vggManifest } from './vgg';

/** SHA-256 of timm's `model.safetensors`, as their pages on huggingface.co say it; not all do. */
const SHA256: Readonly<Record<string, string>> = {
  vgg11: '682c023808812148d4e60c76d80ad83dbeaf5d50eb1a952a0b836895003151e5',
  vgg16: '57b026918159a6bf9faf8405c3a551903768e7138989d9c6224a14227203fad8',
  vgg19: '11aea017b543ff59233749d8f1cf544cda749378f5790d2fedab841fb86b7669',
  vgg13_bn: '7dae235e35772693cd527e7ac9ef8f6594707a14a8d26aabdb83c0baa6847861',
  vgg16_bn: '88bbedbc8e780413736db38ac4efd41b06fc0e93fd5b8879b584bba63a950129',
  vgg19_bn: 'f8249087e63bae61c6166bb23d7c26efe1b2a43fd9fb5cd60ac6ce00535ba312',
};

/** Keras' `caffe` preprocessing, (bgr - mean) with values 0 ... 255, said in our terms. */
const KERAS = {
  mean: [123.68 / 255, 116.779 / 255, 103.939 / 255],
  std: [1 / 255, 1 / 255, 1 / 255],
} as const;

/**
 * The manifest of a preset: architecture, preprocessing, labels, and where the weights are. Keras' two
 * name no address, since nobody is known to host them in TensorFlow.js' form.
 * @returns undefined where there is no preset of that name.
 */
export function presetManifest(name: string): Manifest | undefined {
  const graph = architecturePreset(name) ?? mobilenetV1(name);
  if (graph) return graph;
  const found = /^vgg(?:(11|13|16|19)(_bn)?|(16|19)-keras)$/.exec(name);
  if (!found) return undefined;
  const [, torchDepth, batchNorm, kerasDepth] = found;
  const depth = Number(torchDepth ?? kerasDepth) as VggDepth;
  const options = kerasDepth ? keras(depth) : torchvision(name, batchNorm !== undefined);
  return parseManifest(vggManifest({ depth, name, labels: IMAGENET_LABELS, ...options }), name);
}

type Differences = Omit<VggOptions, 'depth' | 'name' | 'labels'>;

/**
 * Sizes follow from the shapes (4 bytes a parameter and a header of some kB): VGG-11 531 MB, 13 532 MB,
 * 16 553 MB, 19 575 MB, as their pages say too. The weights with batch normalisation are folded.
 */
function torchvision(name: string, batchNorm: boolean): Differences {
  return {
    description:
      `Trained by torchvision on ImageNet-1k${batchNorm ? ' with batch normalisation' : ''}: ` +
      '1000 classes, 224x224.',
    licence: 'BSD-3-Clause (torchvision)',
    weights: {
      format: 'safetensors',
      file: `https://huggingface.co/timm/${name}.tv_in1k/resolve/main/model.safetensors`,
      sha256: SHA256[name],
    },
  };
}

function keras(depth: VggDepth): Differences {
  return {
    description:
      `VGG-${depth} of Keras Applications (its authors' Caffe weights), converted to TensorFlow.js: ` +
      '1000 classes, 224x224.',
    licence: 'CC BY 4.0 (Visual Geometry Group, University of Oxford)',
    weights: { format: 'tensorflowjs', file: 'model.json', channelOrder: 'bgr' },
    normalisation: KERAS,
  };
}
