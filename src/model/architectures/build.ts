import type { GraphActivation, GraphConv, GraphManifestLayer } from '../graph/manifest';
import type { BatchNormTensors } from '../tensors';

/** Layers as torchvision names their tensors, one written behind the other. */
export interface Architecture {
  readonly layers: readonly GraphManifestLayer[];
  /** What is explained unless the caller names another layer: the last before the pooling head. */
  readonly targetLayer: string;
}

type ConvShape = Pick<
  GraphConv,
  'kernel' | 'stride' | 'padding' | 'groups' | 'inputs' | 'activation'
>;

/** Of every network here. */
const EPSILON = 1e-5;

/** torch's batch normalisation called `stem`. */
function batchNorm(stem: string): BatchNormTensors {
  return {
    scale: `${stem}.weight`,
    shift: `${stem}.bias`,
    mean: `${stem}.running_mean`,
    variance: `${stem}.running_var`,
    epsilon: EPSILON,
  };
}

/** A convolution without a bias and the batch normalisation behind it. */
export function normalised(
  name: string,
  norm: string,
  outChannels: number,
  shape: ConvShape,
): GraphManifestLayer {
  return {
    type: 'conv',
    name,
    outChannels,
    ...shape,
    weight: `${name}.weight`,
    batchNorm: batchNorm(norm),
  };
}

/** A convolution with a bias. */
export function biased(name: string, outChannels: number, shape: ConvShape): GraphManifestLayer {
  return {
    type: 'conv',
    name,
    outChannels,
    ...shape,
    weight: `${name}.weight`,
    bias: `${name}.bias`,
  };
}

/** Batch normalisation that no convolution can take in. */
export function norm(name: string, activation: GraphActivation): GraphManifestLayer {
  return { type: 'scale', name, activation, batchNorm: batchNorm(name) };
}

/** The mean of each map, and ImageNet's thousand classes. */
export function head(name: string): readonly GraphManifestLayer[] {
  return [
    { type: 'globalavgpool', name: 'avgpool' },
    { type: 'linear', name, outFeatures: 1000, weight: `${name}.weight`, bias: `${name}.bias` },
  ];
}
