import { describe, expect, it } from 'vitest';
import { normalise, placementOf, prepareImage, resample } from '../src/explain/image';
import type { Pixels } from '../src/explain/pixels';
import type { ManifestInput } from '../src/model/manifest';

function pixels(width: number, height: number, grey: (x: number, y: number) => number): Pixels {
  const data = new Uint8ClampedArray(4 * width * height).fill(255);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++)
      data.fill(grey(x, y), 4 * (y * width + x), 4 * (y * width + x) + 3);
  }
  return { width, height, data };
}

const greyAt = (image: Pixels, x: number, y: number) => image.data[4 * (y * image.width + x)];

describe('resample', () => {
  it('leaves an image of the right size alone', () => {
    const image = pixels(5, 4, (x) => 10 * x);
    expect(resample(image, { width: 5, height: 4, resize: 'cover' })).toBe(image);
  });

  it.each([
    [1, 1],
    [3, 500],
    [500, 3],
    [333, 111],
    [10, 10],
  ])('keeps a uniform %i x %i image uniform', (width, height) => {
    for (const resize of ['cover', 'stretch'] as const) {
      const image = resample(
        pixels(width, height, () => 77),
        { width: 24, height: 17, resize },
      );
      expect(image.data.filter((_, i) => i % 4 < 3).every((value) => value === 77)).toBe(true);
      expect(image.data.length).toBe(4 * 24 * 17);
    }
  });

  it('averages when shrinking: a fine checkerboard becomes grey, not an alias', () => {
    const image = pixels(256, 256, (x, y) => 255 * ((x + y) % 2));
    const small = resample(image, { width: 32, height: 32, resize: 'cover' });
    for (let i = 0; i < small.data.length; i += 4) expect(small.data[i]).toBeCloseTo(127.5, -0.5);
  });

  it('is a triangle filter: shrinking by 2 weighs four pixels 1 3 3 1', () => {
    const image = pixels(8, 8, (x) => (x === 3 ? 160 : 0));
    const small = resample(image, { width: 4, height: 4, resize: 'stretch' });
    expect([0, 1, 2, 3].map((x) => greyAt(small, x, 2))).toEqual([0, 60, 20, 0]);
  });

  it('crops the centre with cover and keeps everything with stretch', () => {
    // black, white, black in thirds: the centre square of a 3:1 image is the white third
    const image = pixels(300, 100, (x) => (x >= 100 && x < 200 ? 255 : 0));
    const cover = resample(image, { width: 50, height: 50, resize: 'cover' });
    expect([1, 25, 48].map((x) => greyAt(cover, x, 25))).toEqual([255, 255, 255]);
    const stretch = resample(image, { width: 60, height: 50, resize: 'stretch' });
    expect([5, 30, 55].map((x) => greyAt(stretch, x, 25))).toEqual([0, 255, 0]);
  });
});

describe('pixels given as { data, width, height }', () => {
  const input: ManifestInput = {
    width: 2,
    height: 1,
    mean: [0, 0, 0],
    std: [1, 1, 1],
    resize: 'cover',
  };
  const bytes = [255, 0, 51, 255, 0, 100, 200, 51];
  // Half transparent pixels lie on white.
  const onWhite = [255, 0, 51, 255, 204, 224, 244, 255];

  it.each([
    ['a Uint8ClampedArray', Uint8ClampedArray.from(bytes)],
    ['a Uint8Array', Uint8Array.from(bytes)],
    ['a Buffer', Buffer.from(bytes)],
    ['a part of a buffer', Uint8Array.from([7, ...bytes, 7]).subarray(1, 9)],
  ])('are taken from %s, which stays as it is', async (_, data) => {
    const { data: prepared } = await prepareImage({ data, width: 2, height: 1 }, input);
    expect([...prepared]).toEqual(onWhite);
    expect([...data]).toEqual(bytes);
  });

  it.each([
    [
      { data: new Uint8Array(6), width: 2, height: 1 },
      'data is Uint8Array of length 6, width 2, height 1',
    ],
    [{ data: new Float32Array(8), width: 2, height: 1 }, 'data is Float32Array of length 8'],
    [{ data: new Int8Array(8), width: 2, height: 1 }, 'data is Int8Array of length 8'],
    [{ data: Array.from(bytes), width: 2, height: 1 }, 'data is object of length 8'],
    [{ data: undefined, width: 2, height: 1 }, 'data is undefined of length undefined'],
    [{ data: new Uint8Array(0), width: 0, height: 3 }, 'width 0, height 3'],
    [{ data: new Uint8Array(6), width: 1.5, height: 1 }, 'width 1.5, height 1'],
    [{ data: new Uint8Array(8), width: -2, height: -1 }, 'width -2, height -1'],
    [{ data: new Uint8Array(8) }, 'width undefined, height undefined'],
  ])('%j are refused', async (image, message) => {
    const refused = prepareImage(image as unknown as Pixels, input);
    await expect(refused).rejects.toMatchObject({ name: 'ScoreCamError', code: 'image' });
    await expect(refused).rejects.toThrow('has 4 x width x height bytes of RGBA');
    await expect(refused).rejects.toThrow(message);
  });

  it('are what is asked for where JavaScript decodes nothing', async () => {
    const refused = prepareImage(new Blob(['an image']), input);
    await expect(refused).rejects.toMatchObject({ name: 'ScoreCamError', code: 'image' });
    await expect(refused).rejects.toThrow(
      'This JavaScript has no createImageBitmap, no OffscreenCanvas, no VideoFrame to decode images by: give pixels as ' +
        '{ data, width, height }, in RGBA.',
    );
  });
});

it('placementOf reaches over the edges with cover and fills the input with stretch', () => {
  const image = { width: 300, height: 100 };
  const input = { width: 60, height: 50 };
  expect(placementOf(image, { ...input, resize: 'cover' })).toEqual({
    scaleX: 0.5,
    scaleY: 0.5,
    left: -45,
    top: 0,
  });
  expect(placementOf(image, { ...input, resize: 'stretch' })).toEqual({
    scaleX: 0.2,
    scaleY: 0.5,
    left: 0,
    top: 0,
  });
});

it('normalise gives (rgb / 255 - mean) / std, channels first', () => {
  const image: Pixels = {
    width: 2,
    height: 1,
    data: Uint8ClampedArray.of(255, 0, 51, 255, 0, 255, 102, 255),
  };
  const input = {
    width: 2,
    height: 1,
    mean: [0.5, 0.25, 0.2] as const,
    std: [0.5, 0.25, 0.1] as const,
    resize: 'cover' as const,
  };
  const values = normalise(image, {
    input: { ...input, mean: [...input.mean], std: [...input.std] },
  });
  expect([...values].map((value) => Math.round(value * 1e6) / 1e6)).toEqual([1, -1, -1, 3, 0, 2]);
});
