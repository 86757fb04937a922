import { ScoreCamError } from '../errors';
import { rowStride } from '../kernels/linear/linear';
import { MATRIX_FEATURE } from '../kernels/winograd/winograd_product';
import { type Network, sizeOf } from '../model/network';

/**
 * What a network needs of a device beyond WebGPU's defaults. Batches and row shards are cut to fit, so
 * only what cannot be cut counts: one image's largest tensor, one convolution's weights, one row of a
 * fully connected layer. Every VGG at 224x224 fits the defaults.
 */
export interface Needs {
  readonly maxStorageBufferBindingSize: number;
  readonly maxBufferSize: number;
}

const MIB = 1024 * 1024;

/** The limits every WebGPU device has. */
export const DEFAULT_LIMITS: Needs = {
  maxStorageBufferBindingSize: 128 * MIB,
  maxBufferSize: 256 * MIB,
};

/**
 * Features that are used where they are; the library works without them. `timestamp-query` times kernels,
 * `shader-f16` lets Winograd store f16, `subgroups` lets four invocations of a software adapter share what they
 * read, and with matrix units it may multiply f16.
 */
const USEFUL_FEATURES: readonly GPUFeatureName[] = [
  'timestamp-query',
  'shader-f16',
  'subgroups',
  MATRIX_FEATURE as GPUFeatureName,
];

export function needsOf(network: Network): Needs {
  const largest = Math.max(
    ...network.layers.map((layer) => {
      const output = sizeOf(layer.output);
      // One row of weights, or the pairs (scale, bias) of all outputs (kernels/linear.ts).
      if (layer.type === 'linear') return 4 * Math.max(2 * output, rowStride(sizeOf(layer.input)));
      if (layer.type !== 'conv') return 4 * output;
      // Packed weights have their output channels rounded up to 8 (kernels/conv.ts).
      const padded = 8 * Math.ceil(layer.output.channels / 8);
      return 4 * Math.max(output, padded * layer.input.channels * layer.kernel ** 2);
    }),
  );
  return {
    maxStorageBufferBindingSize: Math.max(DEFAULT_LIMITS.maxStorageBufferBindingSize, largest),
    maxBufferSize: Math.max(DEFAULT_LIMITS.maxBufferSize, largest),
  };
}

/** What to request of the adapter: the limits needed, no more, and the useful features it has. */
export function deviceRequest(
  adapter: Pick<GPUAdapter, 'limits' | 'features'>,
  needs: Needs,
): { requiredLimits: Record<keyof Needs, number>; requiredFeatures: GPUFeatureName[] } {
  checkLimits('This GPU', adapter.limits, needs);
  return {
    requiredLimits: { ...needs },
    requiredFeatures: USEFUL_FEATURES.filter((feature) => adapter.features.has(feature)),
  };
}

/**
 * @throws ScoreCamError `limit` naming limit, value and need, if `limits` fall short of the needs.
 */
export function checkLimits(
  whose: string,
  limits: Readonly<Record<keyof Needs, number>>,
  needs: Needs,
): void {
  for (const name of ['maxStorageBufferBindingSize', 'maxBufferSize'] as const) {
    if (limits[name] < needs[name]) {
      throw new ScoreCamError(
        'limit',
        `${whose} allows ${name} = ${limits[name]} bytes, this network needs ${needs[name]}. ` +
          'Use a network with smaller layers, or a device with higher limits.',
      );
    }
  }
}
