import { describe, expect, it } from 'vitest';
import { type AdapterFacts, adapterName, factsOf } from '../src/gpu/facts';
import { adapterKey } from '../src/runtime/known-tuning';

/** What adapters say of themselves, as measured in Chrome 156, Firefox 153 and Deno 2.9. */

const info = (changes: Partial<GPUAdapterInfo>) =>
  factsOf({
    vendor: '',
    architecture: '',
    device: '',
    description: '',
    isFallbackAdapter: false,
    ...changes,
  } as GPUAdapterInfo);

const chrome = info({ vendor: 'google', architecture: 'swiftshader', isFallbackAdapter: true });
const firefox = info({ isFallbackAdapter: true });
const deno = info({ vendor: '65541', description: 'llvmpipe (LLVM 15)', isFallbackAdapter: true });

describe('the name of an adapter', () => {
  it.each([
    [chrome, 'google swiftshader (software)'],
    [deno, 'llvmpipe (LLVM 15) (software)'],
    [info({ vendor: 'nvidia', architecture: 'hopper' }), 'nvidia hopper'],
    [info({ description: 'NVIDIA H100', vendor: 'nvidia' }), 'NVIDIA H100'],
    [firefox, 'this software adapter'],
    [info({}), 'this GPU'],
    [factsOf(undefined), 'this GPU'],
  ])('%o: %s', (facts, name) => {
    expect(adapterName(facts)).toBe(name);
  });
});

/** Limits as browsers have them, getters of a prototype. */
class Limits {
  constructor(private readonly most: number) {}
  get maxBufferSize(): number {
    return this.most;
  }
}
Object.defineProperty(Limits.prototype, 'maxBufferSize', { enumerable: true });

const keyOf = (adapter: AdapterFacts, most: number, ...features: string[]) => {
  const limits = new Limits(most) as unknown as GPUSupportedLimits;
  return adapterKey({
    adapter,
    able: { limits, features: new Set(features) as GPUSupportedFeatures },
  });
};

describe('the key of an adapter', () => {
  it('is what it says, and a number by limits, features and whether it is software', () => {
    expect(keyOf(chrome, 1)).toMatch(/^google\/swiftshader\/\/\/\w+$/);
    expect(keyOf(firefox, 1)).toMatch(/^\/\/\/\/\w+$/);
    const keys = [
      keyOf(firefox, 1, 'a'),
      keyOf(firefox, 2, 'a'),
      keyOf(firefox, 1, 'b'),
      keyOf(firefox, 1, 'a', 'b'),
      keyOf(info({}), 1, 'a'),
    ];
    expect(new Set(keys).size).toBe(keys.length);
  });

  it('is the same whatever order features come in', () => {
    expect(keyOf(firefox, 1, 'b', 'a')).toBe(keyOf(firefox, 1, 'a', 'b'));
  });
});
