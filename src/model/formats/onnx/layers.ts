import type { GraphManifestLayer } from '../../graph/manifest';
import { IMAGE } from '../../network';
import type { Draft, Weight } from './draft';
import { Names, type Weights } from './weights';

/** Layers as a manifest has them, in the same order; their tensors are given names on the way. */
export function manifestLayers(drafts: readonly Draft[], weights: Weights): GraphManifestLayer[] {
  const names = new Map<Draft, string>();
  const unique = new Names(IMAGE);
  return drafts.map((draft) => {
    const name = unique.unique(draft.name);
    names.set(draft, name);
    return layerOf(
      draft,
      name,
      draft.inputs.map((input) => names.get(input) ?? IMAGE),
      weights,
    );
  });
}

function layerOf(
  draft: Draft,
  name: string,
  inputs: readonly string[],
  weights: Weights,
): GraphManifestLayer {
  const { type, shape, activation, window } = draft;
  const base = { name, inputs, ...(activation ? { activation } : {}) };
  switch (type) {
    case 'conv':
      return {
        ...base,
        ...tensorsOf(draft, name, weights),
        ...window,
        type,
        kernel: window?.kernel ?? 1,
        outChannels: shape.channels,
        groups: draft.groups ?? 1,
      };
    case 'linear':
      return { ...base, ...tensorsOf(draft, name, weights), type, outFeatures: shape.channels };
    case 'scale':
      return { ...base, ...tensorsOf(draft, name, weights), type };
    case 'maxpool':
    case 'avgpool':
      return {
        name,
        inputs,
        ...window,
        type,
        ceil: draft.ceil ?? false,
        countPadding: draft.countPadding ?? false,
      };
    case 'image':
      throw new Error('The image is no layer.');
    default:
      return { ...base, type };
  }
}

type Tensors = Pick<
  Extract<GraphManifestLayer, { type: 'scale' }>,
  'weight' | 'bias' | 'batchNorm'
>;

function tensorsOf(draft: Draft, layer: string, weights: Weights): Tensors {
  const { weight, bias, batchNorm } = draft;
  const each = [draft.shape.channels];
  const add = (of: Weight, what: string, shape: readonly number[] = each): string =>
    weights.add(of, `${layer}.${what}`, shape);
  return {
    ...(weight ? { weight: add(weight, 'weight', weightShape(draft)) } : {}),
    ...(bias ? { bias: add(bias, 'bias') } : {}),
    ...(batchNorm
      ? {
          batchNorm: {
            scale: add(batchNorm.scale, 'scale'),
            shift: add(batchNorm.shift, 'shift'),
            mean: add(batchNorm.mean, 'mean'),
            variance: add(batchNorm.variance, 'variance'),
            epsilon: batchNorm.epsilon,
          },
        }
      : {}),
  };
}

function weightShape({
  type,
  shape,
  window,
  groups = 1,
  inputs: [input],
}: Draft): readonly number[] {
  const outputs = shape.channels;
  if (!input || type === 'scale') return [outputs];
  const { channels, height, width } = input.shape;
  if (type === 'linear') return [outputs, channels * height * width];
  return [outputs, channels / groups, ...(window?.kernel ?? [])];
}
