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

/** The convolution that leads back: inputs and outputs exchanged, no activation, no pooling. */
export function turnedShape(shape: ConvShape): ConvShape {
  const { inChannels, outChannels } = shape;
  return { ...shape, inChannels: outChannels, outChannels: inChannels, activation: 1, pool: false };
}
