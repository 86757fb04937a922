/** A convolution or pooling over windows: sizes, where windows lie, and what follows. */
export interface WindowShape {
  readonly inChannels: number;
  readonly outChannels: number;
  /** Of the input. */
  readonly height: number;
  readonly width: number;
  readonly outHeight: number;
  readonly outWidth: number;
  readonly kernel: readonly [height: number, width: number];
  readonly stride: readonly [down: number, across: number];
  /** Rows above and columns left of the input; what is needed below and on the right follows from the output's size. */
  readonly before: readonly [top: number, left: number];
  readonly groups: number;
  /** By its code (numbers/activation.ts). */
  readonly activation: number;
}
