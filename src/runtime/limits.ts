/**
 * What is asked of the adapter: never more than it has, and never more than the project can use
 * (a device with raised limits may be slower or refused).
 */
const MIB = 1024 * 1024;

/** fc1 of VGG-16 in one binding is 392 MiB; more than 1 GiB is of no use to any layer. */
const USEFUL = {
  maxStorageBufferBindingSize: 1024 * MIB,
  maxBufferSize: 1024 * MIB,
} as const;

/** `timestamp-query` times kernels in the bench; the library works without it. */
const USEFUL_FEATURES: readonly GPUFeatureName[] = ['timestamp-query'];

export function wanted(adapter: Pick<GPUAdapter, 'limits' | 'features'>): {
  requiredLimits: Record<string, number>;
  requiredFeatures: GPUFeatureName[];
} {
  return {
    requiredLimits: {
      maxStorageBufferBindingSize: Math.min(
        adapter.limits.maxStorageBufferBindingSize,
        USEFUL.maxStorageBufferBindingSize,
      ),
      maxBufferSize: Math.min(adapter.limits.maxBufferSize, USEFUL.maxBufferSize),
    },
    requiredFeatures: USEFUL_FEATURES.filter((feature) => adapter.features.has(feature)),
  };
}
