import type { Network } from './network';
import { sizeOf } from './network';
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

interface Tensor extends TensorFacts {
  readonly index: number;
  readonly scale: number;
  readonly shift: number;
}

/**
 * Weights that are a pure function of (seed, tensor index, element index), so that a full-size network
 * can be tested and timed anywhere without shipping half a gigabyte. With u a hash in [0, 1):
 *
 *   weight = (u - 0.5) 2 sqrt(6 / fan_in)     (He's uniform bounds)
 *   bias   = (u - 0.5) 0.1, and (u - 1) 3 in the last convolution, which makes most of its
 *            activations zero, as they are in trained networks
 *
 * every operation rounded to f32. Tensors are numbered as torchvision names them: weight, bias, weight...
 */
export function seededWeights(network: Network, seed: number): WeightSource {
  const tensors = new Map<string, Tensor>();
  const lastConv = network.layers.findLast((layer) => layer.type === 'conv');
  const fround = Math.fround;
  for (const layer of network.layers) {
    if (layer.type !== 'conv' && layer.type !== 'linear') continue;
    const { channels: outputs } = layer.output;
    const shape =
      layer.type === 'conv'
        ? [outputs, layer.input.channels, layer.kernel, layer.kernel]
        : [outputs, sizeOf(layer.input)];
    const fanIn = shape.slice(1).reduce((a, b) => a * b, 1);
    const scale = fround(2 * fround(Math.sqrt(6 / fanIn)));
    const dtype = 'F32';
    tensors.set(layer.weight, { index: tensors.size, shape, dtype, scale, shift: 0.5 });
    const bias = layer === lastConv ? { scale: 3, shift: 1 } : { scale: fround(0.1), shift: 0.5 };
    tensors.set(layer.bias, { index: tensors.size, shape: [outputs], dtype, ...bias });
  }
  const source = `seed ${seed}`;
  return {
    name: source,
    tensors,
    async read(name, start, count) {
      const { index, scale, shift } = tensorOf({ name: source, tensors }, name);
      const offset = (Math.imul(seed, 0x9e3779b9) + Math.imul(index, 0x85ebca6b)) | 0;
      const second = Math.imul(index, 0x27d4eb2f);
      const values = new Float32Array(count);
      for (let i = 0; i < count; i++) {
        const hash = lowbias32(lowbias32((start + i + offset) | 0) ^ second);
        // Storing into the Float32Array rounds the exact product of two f32 once, as f32 would.
        values[i] = ((hash >>> 8) * 2 ** -24 - shift) * scale;
      }
      return values;
    },
  };
}
