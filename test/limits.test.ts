import { describe, expect, it } from 'vitest';
import { checkLimits, DEFAULT_LIMITS, deviceRequest, KERNEL_NEEDS } from '../src/gpu/limits';
import { buildNetwork } from '../src/model/network';
import { seededVgg } from '../src/model/seeded-vgg';
import { vggManifest } from '../src/model/vgg';
import { needsOf } from '../src/plan/needs';

/** The limits of every device in compatibility mode, and in WebGPU's core. */
const COMPATIBILITY = { ...DEFAULT_LIMITS, ...KERNEL_NEEDS };
const CORE = {
  ...COMPATIBILITY,
  maxComputeInvocationsPerWorkgroup: 256,
  maxComputeWorkgroupSizeX: 256,
};

const requestOf = (limits: typeof DEFAULT_LIMITS, features: readonly string[] = []) =>
  deviceRequest(
    { limits: limits as GPUSupportedLimits, features: new Set(features) as GPUSupportedFeatures },
    DEFAULT_LIMITS,
  );

describe('limits', () => {
  it.each([11, 13, 16, 19] as const)('VGG-%i asks for the defaults and no more', (depth) => {
    expect(needsOf(seededVgg(depth, 1).network)).toEqual(DEFAULT_LIMITS);
  });

  it('a larger picture asks for exactly its largest tensor', () => {
    const manifest = vggManifest({
      depth: 11,
      name: 'large',
      description: 'VGG-11 for large pictures',
      licence: 'MIT',
      labels: ['a'],
      weights: { format: 'seeded', seed: 1 },
      inputSize: 1024,
    });
    const bytes = 4 * 64 * 1024 * 1024;
    const needs = needsOf(buildNetwork(manifest));
    expect(needs).toEqual({ maxStorageBufferBindingSize: bytes, maxBufferSize: bytes });
    expect(() => checkLimits('This GPU', COMPATIBILITY, needs)).toThrow(
      'This GPU allows maxStorageBufferBindingSize = 134217728 bytes, this network needs 268435456',
    );
  });

  it('only features the adapter has are requested', () => {
    const request = (features: string[]) => requestOf(CORE, features);
    expect(request(['timestamp-query', 'clip-distances', 'shader-f16']).requiredFeatures).toEqual([
      'timestamp-query',
      'shader-f16',
    ]);
    expect(request([]).requiredFeatures).toEqual([]);
  });

  it('larger workgroups than compatibility mode has are requested up to 256 and 32 KiB, where they are to be had', () => {
    expect(requestOf(CORE).requiredLimits).toEqual(CORE);
    expect(requestOf(COMPATIBILITY).requiredLimits).toEqual(COMPATIBILITY);
    const large = { maxComputeInvocationsPerWorkgroup: 1024, maxComputeWorkgroupSizeX: 1024 };
    const useful = { maxComputeInvocationsPerWorkgroup: 288, maxComputeWorkgroupSizeX: 288 };
    expect(requestOf({ ...CORE, ...large }).requiredLimits).toEqual({ ...CORE, ...useful });
    const storage = { ...CORE, maxComputeWorkgroupStorageSize: 32768 };
    const more = { maxComputeWorkgroupStorageSize: 65536 };
    expect(requestOf({ ...CORE, ...more }).requiredLimits).toEqual(storage);
    const unequal = { maxComputeInvocationsPerWorkgroup: 192 };
    expect(requestOf({ ...CORE, ...unequal }).requiredLimits).toEqual({ ...CORE, ...unequal });
  });

  it.each(Object.entries(KERNEL_NEEDS))(
    'a device with less %s than %i is refused',
    (name, need) => {
      const short = { ...CORE, [name]: need - 1 };
      expect(() => checkLimits('The device', short, DEFAULT_LIMITS)).toThrow(
        `The device allows ${name} = ${need - 1}, the kernels need ${need}. Use a device with higher limits.`,
      );
      expect(() => requestOf(short)).toThrow(`This GPU allows ${name} = ${need - 1},`);
    },
  );
});
