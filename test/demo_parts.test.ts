/** What the site decides without a browser. */
import { describe, expect, it } from 'vitest';
import { languageOf } from '../demo/language';
import { BUILT_IN, FOR_PHOTOGRAPHS, isLarge, NETWORKS, networkNamed } from '../demo/networks';
import { evenness, NEARLY_EVEN } from '../demo/views/explain/doubt';
import { PRESETS } from '../src/model/presets';

describe('the site', () => {
  it('calls an answer none by its entropy', () => {
    expect(evenness([0, 1, 0])).toBe(0);
    expect(evenness([0.25, 0.25, 0.25, 0.25])).toBeCloseTo(1, 12);
    // Two of four alike: ln 2 / ln 4.
    expect(evenness([0.5, 0, 0.5, 0])).toBeCloseTo(0.5, 12);
    expect(evenness([1])).toBe(0);
    // The rocket that the network of scenes calls a triangle: 9.8 %, and all others about as much.
    const rocket = [0.098, ...Array.from({ length: 11 }, () => 0.902 / 11)];
    expect(evenness(rocket)).toBeGreaterThan(NEARLY_EVEN);
    // Two objects in a scene of twelve classes, and some doubt.
    const two = [0.42, 0.363, 0.134, ...Array.from({ length: 9 }, () => 0.083 / 9)];
    expect(evenness(two)).toBeLessThan(NEARLY_EVEN);
  });

  it("speaks the language asked for, else the visitor's, else English", () => {
    expect(languageOf('ko', ['en-GB'])).toBe('ko');
    expect(languageOf('xx', ['fr', 'ko-KR', 'en'])).toBe('ko');
    expect(languageOf(undefined, ['fr'])).toBe('en');
    // No language, but a property of every object.
    expect(languageOf('toString', [])).toBe('en');
  });

  it('offers photographs to who has one, with the size said before the download', () => {
    expect(networkNamed(BUILT_IN)).toMatchObject({ pictures: 'drawings' });
    expect(isLarge(BUILT_IN)).toBe(false);
    expect(networkNamed(FOR_PHOTOGRAPHS)).toMatchObject({
      pictures: 'photographs',
      needsFiles: false,
    });
    // Every preset of the library, each with its size.
    expect(NETWORKS.map(({ name }) => name).sort()).toEqual([BUILT_IN, ...PRESETS].sort());
    expect(new Set(NETWORKS.map(({ name }) => name)).size).toBe(NETWORKS.length);
    for (const { name, bytes, dtypes } of NETWORKS) {
      expect(bytes, name).toBeGreaterThan(100_000);
      expect(dtypes.length, name).toBeGreaterThan(0);
    }
  });
});
