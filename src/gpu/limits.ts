import { ScoreCamError } from '../errors';

/** What is needed of a device beyond WebGPU's defaults. */
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
  'chromium-experimental-subgroup-matrix' as GPUFeatureName,
];

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
