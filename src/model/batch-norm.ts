import { checkFinite } from './finite-tensors';
import type { LayerTensors } from './tensors';

/* Batch normalisation as part of the layer before it. Loaded with the first network that has one in its file. */

/**
 * y = gamma (w x + b - mean) / sqrt(variance + epsilon) + beta, as a layer's own weight and bias, in place
 * (Ioffe and Szegedy 2015, at inference). In f64, rounded once.
 * @param values a tensor of the file
 * @throws ScoreCamError `weights` where what comes of it is not finite
 */
export function foldBatchNorm(
  weight: Float32Array,
  bias: Float32Array,
  { weight: name, batchNorm }: LayerTensors,
  values: (name: string) => Float32Array,
): void {
  if (!batchNorm) return;
  const [gamma, beta, mean, variance] = [
    values(batchNorm.scale),
    values(batchNorm.shift),
    values(batchNorm.mean),
    values(batchNorm.variance),
  ] as [Float32Array, Float32Array, Float32Array, Float32Array];
  const depth = weight.length / bias.length;
  for (let o = 0; o < bias.length; o++) {
    const factor = (gamma[o] as number) / Math.sqrt((variance[o] as number) + batchNorm.epsilon);
    for (let k = o * depth; k < (o + 1) * depth; k++) weight[k] = (weight[k] as number) * factor;
    const shifted = (bias[o] as number) - (mean[o] as number);
    bias[o] = shifted * factor + (beta[o] as number);
  }
  const folded = 'with its batch normalisation folded in';
  checkFinite(weight, `${name ?? batchNorm.scale} ${folded}`, 0);
  checkFinite(bias, `${batchNorm.shift} ${folded}`, 0);
}
