import { DEFAULT_LIMITS, type Needs } from '../gpu/limits';
import { rowStride } from '../kernels/linear/linear';
import { isWeighted, type Network, sizeOf, weightShape } from '../model/network';
import { roundUp } from '../numbers/padding';

/**
 * What a network needs of a device beyond WebGPU's defaults. Batches and row shards are cut to fit, so
 * only what cannot be cut counts: one image's largest tensor, one convolution's weights, one row of a
 * fully connected layer. Every VGG at 224x224 fits the defaults.
 */
export function needsOf(network: Network): Needs {
  const largest = Math.max(
    ...network.layers.map((layer) => {
      const output = sizeOf(layer.output);
      // One row of weights, or the pairs (scale, bias) of all outputs (kernels/linear.ts).
      if (layer.type === 'linear') return 4 * Math.max(2 * output, rowStride(sizeOf(layer.input)));
      if (!isWeighted(layer)) return 4 * output;
      // Packed weights have their output channels rounded up to 8 (kernels/conv.ts).
      const [outputs = 0, ...each] = weightShape(layer);
      return (
        4 *
        Math.max(
          output,
          each.reduce((a, b) => a * b, roundUp(outputs, 8)),
        )
      );
    }),
  );
  return {
    maxStorageBufferBindingSize: Math.max(DEFAULT_LIMITS.maxStorageBufferBindingSize, largest),
    maxBufferSize: Math.max(DEFAULT_LIMITS.maxBufferSize, largest),
  };
}
