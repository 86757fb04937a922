import type { Slice } from '../../gpu/kernel';
import { activationConstants } from '../../numbers/activation';

/** A convolution of stride 1 with zero padding, its activation and an optional pooling behind it. */
export interface ConvShape {
  readonly inChannels: number;
  readonly outChannels: number;
  readonly height: number;
  readonly width: number;
  readonly kernel: 1 | 3;
  /** By its code (numbers/activation.ts): 0 is ReLU, 0.1 a leaky ReLU, 1 none. */
  readonly activation: number;
  /** 2x2 max pooling after the activation: output is floor(height / 2) x floor(width / 2). */
  readonly pool: boolean;
}

/** What there is beyond the plain convolution: both by channels of a tensor [batch, of, height, width], from `first` on. */
export interface ConvEnds {
  /** Of the output's size before it is pooled: added before the activation. */
  readonly added?:
    | { readonly slice: Slice; readonly first: number; readonly of: number }
    | undefined;
  /** Which channels of a larger tensor the output is. Default: all of its own. */
  readonly view?: { readonly first: number; readonly of: number } | undefined;
  /** No sum can be infinite or NaN, so that none need be looked at. Default false. */
  readonly isBounded?: boolean | undefined;
}

/** The values that kernels have of it. */
export function endValues(
  { outChannels, activation }: Pick<ConvShape, 'outChannels' | 'activation'>,
  { added, view, isBounded }: ConvEnds,
) {
  const { CURVE: curve, BOUNDED: bounded } = activationConstants(activation, isBounded);
  return {
    curve,
    bounded,
    added: added ? 1 : 0,
    added_first: added?.first ?? 0,
    added_of: added?.of ?? 0,
    out_first: view?.first ?? 0,
    out_of: view?.of ?? outChannels,
  };
}

/** The convolution that leads back: inputs and outputs exchanged, no activation, no pooling. */
export function turnedShape(shape: ConvShape): ConvShape {
  const { inChannels, outChannels } = shape;
  return { ...shape, inChannels: outChannels, outChannels: inChannels, activation: 1, pool: false };
}
