import type { LayerNames } from './naming';
import type { Layer } from './network';
import { VGG_BLOCKS, type VggDepth } from './vgg';

/** A layer's place in a VGG: what its name in a file is made from. */
export type Place =
  | {
      readonly kind: 'conv';
      /** Both from 1, as the paper and Keras count. */
      readonly block: number;
      readonly position: number;
      /** Index among torchvision's `features`, each ReLU and pooling counting as one. */
      readonly module: number;
      /** The same where a batch normalisation follows each convolution. */
      readonly normalisedModule: number;
    }
  | { readonly kind: 'linear'; readonly index: 0 | 1 | 2 };

export interface VggNaming {
  readonly name: string;
  readonly layout: 'torch' | 'keras';
  names(place: Place): LayerNames;
}

const torchNames = (stem: string): LayerNames => ({
  weight: `${stem}.weight`,
  bias: `${stem}.bias`,
});
const kerasNames = (stem: string): LayerNames => ({
  weight: `${stem}/kernel`,
  bias: `${stem}/bias`,
});

/** PyTorch's default, which its VGGs leave as it is. */
const TORCH_EPSILON = 1e-5;

/** `heads`: stems of the three fully connected layers. */
function torchNaming(name: string, heads: readonly string[], normalised: boolean): VggNaming {
  return {
    name: normalised ? `${name} with batch normalisation` : name,
    layout: 'torch',
    names(place) {
      if (place.kind === 'linear') return torchNames(heads[place.index] as string);
      if (!normalised) return torchNames(`features.${place.module}`);
      const module = place.normalisedModule;
      const norm = `features.${module + 1}`;
      const batchNorm = {
        scale: `${norm}.weight`,
        shift: `${norm}.bias`,
        mean: `${norm}.running_mean`,
        variance: `${norm}.running_var`,
        epsilon: TORCH_EPSILON,
      };
      // Some exporters leave it out: the normalisation has a shift of its own.
      return { ...torchNames(`features.${module}`), batchNorm, isBiasOptional: true };
    },
  };
}

const TORCHVISION_HEADS = ['classifier.0', 'classifier.3', 'classifier.6'];
const TIMM_HEADS = ['pre_logits.fc1', 'pre_logits.fc2', 'head.fc'];
const KERAS_HEADS = ['fc1', 'fc2', 'predictions'];

/**
 * Whose VGGs are recognised, in the order in which they are tried. Sources: torchvision/models/vgg.py,
 * timm/models/vgg.py, keras/applications/vgg16.py.
 */
export const VGG_NAMINGS: readonly VggNaming[] = [
  torchNaming('torchvision', TORCHVISION_HEADS, false),
  torchNaming('torchvision', TORCHVISION_HEADS, true),
  torchNaming('timm', TIMM_HEADS, false),
  torchNaming('timm', TIMM_HEADS, true),
  {
    name: 'keras',
    layout: 'keras',
    names: (place) =>
      kerasNames(
        place.kind === 'linear'
          ? (KERAS_HEADS[place.index] as string)
          : `block${place.block}_conv${place.position}`,
      ),
  },
];

/** The depth of a network that is a VGG of any width, by the order of its layers. */
export function vggDepth(layers: readonly Layer[]): VggDepth | undefined {
  const found = layers.map((layer) => (layer.type === 'conv' ? layer.kernel : layer.type)).join();
  return depths.find((depth) => {
    const blocks = VGG_BLOCKS[depth].map((count) => [...Array(count).fill(3), 'maxpool']);
    return found === [...blocks.flat(), 'linear', 'linear', 'linear'].join();
  });
}

/**
 * The depth of the VGG that a file holds under a naming: the deepest whose convolutions are all there,
 * since Keras' names of a shallow VGG are among those of a deep one.
 */
export function fileDepth(
  naming: VggNaming,
  holds: (tensor: string) => boolean,
): VggDepth | undefined {
  return depths.findLast((depth) =>
    vggPlaces(depth).every(
      (place) => place.kind === 'linear' || holds(naming.names(place).weight as string),
    ),
  );
}

const depths: readonly VggDepth[] = [11, 13, 16, 19];

/** The places of all convolutions and fully connected layers, in order. */
export function vggPlaces(depth: VggDepth): readonly Place[] {
  const places: Place[] = [];
  let module = 0;
  let normalisedModule = 0;
  VGG_BLOCKS[depth].forEach((count, block) => {
    for (let position = 1; position <= count; position++) {
      places.push({ kind: 'conv', block: block + 1, position, module, normalisedModule });
      module += 2;
      normalisedModule += 3;
    }
    module += 1;
    normalisedModule += 1;
  });
  return [...places, ...([0, 1, 2] as const).map((index) => ({ kind: 'linear' as const, index }))];
}
