/* What the tensors of a layer are called. */

/** The tensors of one layer, by their names in the file. Absent ones are ones and zeros. */
export interface LayerTensors {
  readonly weight: string | undefined;
  readonly bias: string | undefined;
  readonly batchNorm?: BatchNormTensors;
  /** Of a fully connected layer's I8 weight: F32 [outFeatures], weight = stored * scale. */
  readonly scale?: string;
}

/** y = scale (x - mean) / sqrt(variance + epsilon) + shift, each [outChannels] */
export interface BatchNormTensors {
  readonly scale: string;
  readonly shift: string;
  readonly mean: string;
  readonly variance: string;
  readonly epsilon: number;
}

/** Absent ones are ones and zeros. */
export type GraphTensors = Pick<LayerTensors, 'bias' | 'batchNorm'> & {
  readonly weight: string | undefined;
};
