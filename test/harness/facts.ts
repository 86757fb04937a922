import type { DeviceFacts } from '../../src/gpu/facts';

const MIB = 1024 * 1024;

/** A GPU with WebGPU's default limits and no feature, or what is said otherwise: plans are compiled without a device. */
export function factsOf(changes: Partial<DeviceFacts> = {}): DeviceFacts {
  return {
    isFallback: false,
    features: new Set(),
    subgroupMinSize: 0,
    subgroupMaxSize: 0,
    subgroupMatrices: [],
    maxStorageBufferBindingSize: 128 * MIB,
    maxBufferSize: 256 * MIB,
    maxInvocations: 256,
    maxWorkgroupStorage: 16384,
    ...changes,
  };
}

/** A software adapter whose subgroups are so many fours of invocations. */
export function softwareFacts(quads = 0): DeviceFacts {
  return factsOf({
    isFallback: true,
    ...(quads > 0
      ? { features: new Set(['subgroups']), subgroupMinSize: 4 * quads, subgroupMaxSize: 4 * quads }
      : {}),
  });
}
