import { ScoreCamError } from '../errors';

/** What is needed of a device beyond WebGPU's defaults. */
export interface Needs {
  readonly maxStorageBufferBindingSize: number;
  readonly maxBufferSize: number;
}

type LimitName = keyof Needs | keyof typeof KERNEL_NEEDS;

const MIB = 1024 * 1024;

/** The limits every WebGPU device has. */
export const DEFAULT_LIMITS: Needs = {
  maxStorageBufferBindingSize: 128 * MIB,
  maxBufferSize: 256 * MIB,
};

/**
 * What kernels take at most, test/reflection.test.ts counts it: what every WebGPU device has, in compatibility mode too.
 */
export const KERNEL_NEEDS = {
  maxComputeInvocationsPerWorkgroup: 128,
  maxComputeWorkgroupSizeX: 128,
  maxComputeWorkgroupStorageSize: 16384,
  maxStorageBuffersPerShaderStage: 8,
} as const;

/**
 * What larger tiles take where the device allows it: a few invocations more than WebGPU's core has (F(4x4) in one kernel,
 * 288), and twice its workgroup memory. Nearly every GPU has both.
 */
const USEFUL = {
  maxComputeInvocationsPerWorkgroup: 288,
  maxComputeWorkgroupSizeX: 288,
  maxComputeWorkgroupStorageSize: 32768,
} as const;

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

/** What to request of the adapter: the limits needed, and what it has of what is useful; no more. */
export function deviceRequest(
  { limits, features }: Pick<GPUAdapter, 'limits' | 'features'>,
  needs: Needs,
): { requiredLimits: Record<LimitName, number>; requiredFeatures: GPUFeatureName[] } {
  checkLimits('This GPU', limits, needs);
  const useful = { ...USEFUL } as Record<keyof typeof USEFUL, number>;
  for (const name of Object.keys(USEFUL) as (keyof typeof USEFUL)[]) {
    useful[name] = Math.min(USEFUL[name], limits[name]);
  }
  return {
    requiredLimits: { ...needs, ...KERNEL_NEEDS, ...useful },
    requiredFeatures: USEFUL_FEATURES.filter((feature) => features.has(feature)),
  };
}

/**
 * @throws ScoreCamError `limit` naming limit, value and need, if `limits` fall short of the needs.
 */
export function checkLimits(
  whose: string,
  limits: Readonly<Record<LimitName, number>>,
  needs: Needs,
): void {
  for (const [name, need] of Object.entries({ ...needs, ...KERNEL_NEEDS })) {
    const value = limits[name as LimitName];
    if (value < need) {
      const [unit, who, remedy] =
        name in needs
          ? [' bytes', 'this network needs', 'a network with smaller layers, or ']
          : ['', 'the kernels need', ''];
      throw new ScoreCamError(
        'limit',
        `${whose} allows ${name} = ${value}${unit}, ${who} ${need}. Use ${remedy}a device with higher limits.`,
      );
    }
  }
}
