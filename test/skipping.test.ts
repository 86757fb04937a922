import { describe, expect, it } from 'vitest';
import { compile } from '../src/plan/compile';
import { softwareFacts } from './harness/facts';
import { narrowNetwork } from './harness/narrow-vgg';
import { upsampleReference } from './reference/interpolation';
import { activeTiles, maskRegion, reachedTiles } from './reference/skipping';

describe('the reference: the region of a mask', () => {
  const map = (height: number, width: number, active: readonly number[]) => {
    const data = new Float32Array(height * width).fill(0.5);
    for (const i of active) data[i] = 1;
    return { data, height, width, min: 0.5 };
  };

  it.each([
    [3, 4, 12, 16, [5], false],
    [3, 4, 13, 7, [0, 11], false],
    [5, 5, 9, 9, [12], true],
    [2, 2, 2, 2, [3], false],
    [1, 1, 4, 4, [0], true],
    [6, 6, 4, 3, [7], false],
  ] as const)(
    'holds every pixel above the minimum: %i x %i to %i x %i',
    (h, w, height, width, active, alignCorners) => {
      const one = map(h, w, active);
      const region = maskRegion({ ...one, alignCorners }, height, width);
      const up = upsampleReference(one.data, {
        mapHeight: h,
        mapWidth: w,
        height,
        width,
        alignCorners,
      });
      const above = [...up].map((value) => value > 0.5 + 1e-12);
      above.forEach((is, i) => {
        if (is) expect(region.pixels[i], `pixel ${i}`).toBe(1);
      });
      // And not many more: those exactly on a neighbouring sample, at most a frame of them.
      const wrong = above.filter((is, i) => !is && region.pixels[i] === 1).length;
      expect(wrong).toBeLessThanOrEqual(2 * (height + width));
    },
  );

  it('is everything where the minimum is not a sample', () => {
    const one = map(2, 2, [0]);
    const region = maskRegion({ ...one, min: 0.4, alignCorners: false }, 4, 4);
    expect(region.pixels.every((is) => is === 1)).toBe(true);
  });
});

describe('the reference: reached tiles', () => {
  const steps = compile(narrowNetwork, softwareFacts()).features;
  const regionOf = (active: readonly (readonly [number, number])[]) => {
    const { height, width } = narrowNetwork.input;
    const pixels = new Uint8Array(height * width);
    for (const [y, x] of active) pixels[y * width + x] = 1;
    return { height, width, pixels };
  };

  it('are none of an empty mask and all of a full one', () => {
    const { height, width } = narrowNetwork.input;
    const none = reachedTiles(regionOf([]), steps);
    const all = reachedTiles(
      { height, width, pixels: new Uint8Array(height * width).fill(1) },
      steps,
    );
    for (const tiles of none) expect(tiles?.active).toHaveLength(0);
    for (const tiles of all) expect(tiles?.active).toHaveLength(tiles?.total as number);
  });

  it('grow by the receptive field', () => {
    // A single pixel: 3x3 after the first convolution, in patches of 2 x 14.
    const [first, second] = reachedTiles(regionOf([[20, 20]]), steps);
    const across = Math.ceil(narrowNetwork.input.width / 14);
    expect([...(first?.active ?? [])]).toEqual([9 * across + 1, 10 * across + 1]);
    // Pooled to rows and columns 9 and 10, grown to 8 .. 11: the tile of rows and columns 8 to 11.
    const tiles = Math.ceil(narrowNetwork.input.width / 2 / 4);
    expect([...(second?.active ?? [])]).toEqual([2 * tiles + 2]);
  });

  it('number tiles row by row, the last ones cut off', () => {
    const pixels = new Uint8Array(5 * 7);
    pixels[0] = 1;
    pixels[34] = 1;
    const tiles = activeTiles({ height: 5, width: 7, pixels }, { height: 4, width: 4 });
    expect([...tiles]).toEqual([0, 3]);
  });
});
