/** The networks that the site offers. A new one is an entry of this list; every view reads it. */
import type { WeightDtype } from '../src/index';

/** The folder beside the built pages, or the project's where its sources are served. */
export const WEIGHTS = `${import.meta.env.BASE_URL}weights`;

export const BUILT_IN = 'scenes-vgg16';

/** The small network's picture. */
export const SAMPLE = `${WEIGHTS}/${BUILT_IN}/sample.png`;

export interface NetworkEntry {
  /** A preset's name, or {@link BUILT_IN}. */
  readonly name: string;
  /** Classes. */
  readonly knows: number;
  /** What it has seen in training. */
  readonly pictures: 'drawings' | 'photographs';
  /** Bytes to download, about. */
  readonly bytes: number;
  /** Forms in which it can be kept, the usual one first; a single one where there is no choice. */
  readonly dtypes: readonly (WeightDtype | undefined)[];
  /** Whether somebody must have its files: there is no address to download them from. */
  readonly needsFiles: boolean;
}

const MB = 1e6;
/** MB */
const SMALL = 20;

/** MB to download of each preset: its f32 weights, as their pages say it. In this order they are offered. */
const PRESET_SIZES: Readonly<Record<string, number>> = {
  'mobilenet-v1-025': 1.9,
  'mobilenet-v1-050': 5.3,
  'mobilenet-v1-075': 10,
  'mobilenet-v1-100': 17,
  mobilenet_v2: 14,
  squeezenet1_1: 5,
  resnet18: 47,
  densenet121: 32,
  resnet34: 87,
  resnet50: 102,
  vgg16: 553,
  vgg11: 531,
  vgg13: 532,
  vgg19: 575,
  vgg11_bn: 531,
  vgg13_bn: 532,
  vgg16_bn: 553,
  vgg19_bn: 575,
  'vgg16-keras': 553,
  'vgg19-keras': 575,
};

export const NETWORKS: readonly NetworkEntry[] = [
  {
    name: BUILT_IN,
    knows: 12,
    pictures: 'drawings',
    bytes: 4.2 * MB,
    dtypes: [undefined],
    needsFiles: false,
  },
  ...Object.entries(PRESET_SIZES).map(([name, megabytes]) => ({
    name,
    knows: 1000,
    pictures: 'photographs' as const,
    bytes: megabytes * MB,
    // What is small is kept as it is.
    dtypes: megabytes < SMALL ? (['f32', 'f16'] as const) : (['f16', 'int8', 'f32'] as const),
    needsFiles: name.endsWith('-keras'),
  })),
];

/** What a photograph is for: the network that is offered to whoever gives one to the built-in network. */
export const FOR_PHOTOGRAPHS = 'mobilenet-v1-025';

export const networkNamed = (name: string | undefined): NetworkEntry | undefined =>
  NETWORKS.find((network) => network.name === name);

/** Nobody downloads so much because of a link: it is loaded when somebody says so. */
const LARGE = 20 * MB;

export const isLarge = (name: string): boolean => (networkNamed(name)?.bytes ?? 0) > LARGE;
