import { isWeighted, type Network, weightShape } from './network';
import { type TensorFacts, tensorOf, type WeightSource } from './weight-source';

/** Bijective 32-bit mixing function (Wellons, hash prospector). */
function lowbias32(value: number): number {
  let x = value;
  x ^= x >>> 16;
  x = Math.imul(x, 0x7feb352d);
  x ^= x >>> 15;
  x = Math.imul(x, 0x846ca68b);
  x ^= x >>> 16;
  return x;
}

/** value = (u - shift) scale + offset */
interface Rule {
  readonly scale: number;
  readonly shift: number;
  readonly offset: number;
}

interface Tensor extends TensorFacts, Rule {
  readonly index: number;
}

const { fround } = Math;
const BIAS: Rule = { scale: fround(0.1), shift: 0.5, offset: 0 };
const LAST_CONV_BIAS: Rule = { scale: 3, shift: 1, offset: 0 };
const NORM_SCALE: Rule = { scale: fround(0.2), shift: 0.5, offset: 1 };
const NORM_SHIFT: Rule = { scale: fround(0.2), shift: 0.5, offset: 0 };
const VARIANCE: Rule = { scale: 1, shift: 0, offset: 1 };

/**
 * Weights that are a pure function of (seed, tensor index, element index), so that a full-size network
 * can be tested and timed anywhere without shipping half a gigabyte. With u a hash in [0, 1):
 *
 *   weight = (u - 0.5) 2 sqrt(6 / fan_in)     (He's uniform bounds)
 *   bias   = (u - 0.5) 0.1, and (u - 1) 3 in the last convolution of a network without branches or batch
 *            normalisation, which makes most of its activations zero, as they are in trained networks
 *
 * and of batch normalisation: scale = 1 + (u - 0.5) 0.2, shift and mean = (u - 0.5) 0.2, variance = 1 + u;
 * every operation rounded to f32. Tensors are numbered as torch lists them: of each layer weight, bias, and its
 * normalisation's scale and shift; behind those of all layers each normalisation's mean and variance.
 */
export function seededWeights(network: Network, seed: number): WeightSource {
  const tensors = new Map<string, Tensor>();
  const add = (name: string, shape: readonly number[], rule: Rule): void => {
    tensors.set(name, { index: tensors.size, shape, dtype: 'F32', ...rule });
  };
  const layers = network.layers.filter(isWeighted);
  const isChain = layers.every(({ type, reads }) => type !== 'windowconv' && !reads);
  const lastConv = isChain ? layers.findLast(({ type }) => type === 'conv') : undefined;
  for (const layer of layers) {
    const { weight, bias, batchNorm } = layer.reads ?? { ...layer, batchNorm: undefined };
    const shape = weightShape(layer);
    const outputs = shape.slice(0, 1);
    const fanIn = shape.slice(1).reduce((a, b) => a * b, 1);
    const scale = fround(2 * fround(Math.sqrt(6 / fanIn)));
    if (weight) add(weight, shape, { scale, shift: 0.5, offset: 0 });
    if (bias) add(bias, outputs, layer === lastConv ? LAST_CONV_BIAS : BIAS);
    if (!batchNorm) continue;
    add(batchNorm.scale, outputs, NORM_SCALE);
    add(batchNorm.shift, outputs, NORM_SHIFT);
  }
  for (const { reads, output } of layers) {
    if (!reads?.batchNorm) continue;
    add(reads.batchNorm.mean, [output.channels], NORM_SHIFT);
    add(reads.batchNorm.variance, [output.channels], VARIANCE);
  }
  const source = `seed ${seed}`;
  return {
    name: source,
    tensors,
    async read(name, start, count) {
      const { index, scale, shift, offset } = tensorOf({ name: source, tensors }, name);
      const first = (Math.imul(seed, 0x9e3779b9) + Math.imul(index, 0x85ebca6b)) | 0;
      const second = Math.imul(index, 0x27d4eb2f);
      const values = new Float32Array(count);
      for (let i = 0; i < count; i++) {
        const hash = lowbias32(lowbias32((start + i + first) | 0) ^ second);
        // fround rounds the exact product of two f32 once, as f32 would; storing rounds the sum.
        values[i] = fround(((hash >>> 8) * 2 ** -24 - shift) * scale) + offset;
      }
      return values;
    },
  };
}
