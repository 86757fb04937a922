import type { GraphManifest } from '../graph/manifest';
import { IMAGENET_LABELS } from '../imagenet-labels';
import type { ManifestWeights } from '../manifest';
import { ARCHITECTURES, type ArchitectureName, isArchitecture } from './architectures';

const TIMM = 'https://huggingface.co/timm';
const TORCH = 'https://download.pytorch.org/models';
const TRAINED = {
  torchvision: { by: 'torchvision', licence: 'BSD-3-Clause (torchvision)' },
  timm: { by: 'timm', licence: 'Apache-2.0 (timm)' },
} as const;

interface Hosted {
  readonly trained: keyof typeof TRAINED;
  readonly file: string;
  /** Where the file's name says its first digits. */
  readonly sha256?: string;
}

const timm = (name: string, trained: Hosted['trained']): Hosted => ({
  trained,
  file: `${TIMM}/${name}/resolve/main/model.safetensors`,
});

/**
 * timm's copies, which pages may read; nobody has SqueezeNet among them. Files of 4 bytes a parameter: ResNet-18 47 MB, 34
 * 87 MB, 50 102 MB, MobileNet v2 14 MB, SqueezeNet 5 MB, DenseNet-121 32 MB.
 */
const HOSTED: Readonly<Record<ArchitectureName, Hosted>> = {
  resnet18: timm('resnet18.tv_in1k', 'torchvision'),
  resnet34: timm('resnet34.tv_in1k', 'torchvision'),
  resnet50: timm('resnet50.tv_in1k', 'torchvision'),
  mobilenet_v2: timm('mobilenetv2_100.ra_in1k', 'timm'),
  squeezenet1_1: {
    trained: 'torchvision',
    file: `${TORCH}/squeezenet1_1-b8a52dc0.pth`,
    sha256: 'b8a52dc0',
  },
  densenet121: timm('densenet121.tv_in1k', 'torchvision'),
};

/** The manifest of a network that torchvision has, with ImageNet's labels and where its weights are. */
export function architecturePreset(name: string): GraphManifest | undefined {
  if (!isArchitecture(name)) return undefined;
  const { trained, file, sha256 } = HOSTED[name];
  const { by, licence } = TRAINED[trained];
  return manifestOf(name, {
    name,
    description: `Trained by ${by} on ImageNet-1k: 1000 classes, 224x224.`,
    licence,
    labels: IMAGENET_LABELS,
    weights: { format: file.endsWith('.pth') ? 'pytorch' : 'safetensors', file, sha256 },
  });
}

/** The same with weights generated from a seed and numbered classes. */
export function seededArchitecture(name: ArchitectureName, seed: number): GraphManifest {
  return manifestOf(name, {
    name: `${name}-seeded-${seed}`,
    description: `Full-size ${name} with weights generated from seed ${seed}: for tests and timing.`,
    licence: 'MIT',
    labels: Array.from({ length: 1000 }, (_, index) => `class ${index}`),
    weights: { format: 'seeded', seed },
  });
}

function manifestOf(
  architecture: ArchitectureName,
  facts: Pick<GraphManifest, 'name' | 'description' | 'licence' | 'labels'> & {
    readonly weights: ManifestWeights;
  },
): GraphManifest {
  return {
    format: 'score-cam-webgpu/model',
    version: 2,
    input: {
      width: 224,
      height: 224,
      mean: [0.485, 0.456, 0.406],
      std: [0.229, 0.224, 0.225],
      resize: 'cover',
    },
    ...ARCHITECTURES[architecture](),
    ...facts,
  };
}
