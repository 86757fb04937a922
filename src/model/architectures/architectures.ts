import type { Architecture } from './build';
import { densenet121 } from './densenet';
import { mobilenetV2 } from './mobilenet-v2';
import { resnet } from './resnet';
import { squeezenet } from './squeezenet';

/** torchvision's networks with branches, by torchvision's names: 1000 classes at 224x224. */
export const ARCHITECTURES = {
  resnet18: () => resnet('resnet18'),
  resnet34: () => resnet('resnet34'),
  resnet50: () => resnet('resnet50'),
  mobilenet_v2: mobilenetV2,
  squeezenet1_1: squeezenet,
  densenet121,
} as const satisfies Readonly<Record<string, () => Architecture>>;

export type ArchitectureName = keyof typeof ARCHITECTURES;

export function isArchitecture(name: string): name is ArchitectureName {
  return Object.hasOwn(ARCHITECTURES, name);
}
