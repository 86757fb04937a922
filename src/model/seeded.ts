import { ScoreCamError } from '../errors';
import type { Network } from './network';
import { sizeOf } from './network';
import type { WeightSource } from './weight-source';

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
  const tensors = new Map<
    string,
    { index: number; shape: number[]; scale: number; shift: number }
  >();
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
    tensors.set(layer.weight, { index: tensors.size, shape, scale, shift: 0.5 });
    const bias = layer === lastConv ? { scale: 3, shift: 1 } : { scale: fround(0.1), shift: 0.5 };
    tensors.set(layer.bias, { index: tensors.size, shape: [outputs], ...bias });
  }
  const find = (name: string) => {
    const tensor = tensors.get(name);
    if (!tensor) throw new ScoreCamError('weights', `seed ${seed}: there is no tensor "${name}".`);
    return tensor;
  };
  return {
    shape: (name) => find(name).shape,
    async read(name, start, count) {
      const { index, scale, shift } = find(name);
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
