import { describe, expect, it } from 'vitest';
import { ScoreCamError } from '../src/errors';
import { encodeF16 } from '../src/numbers/f16';
import { testValues } from './harness/compare';
import { halfValue } from './reference/weights';

/** Magnitudes of all finite f16 in order; the index of each is its bits. */
const magnitudes = Float64Array.from({ length: 0x7c00 }, (_, half) => halfValue(half));

/** The nearest f16 by search, the even one of two; independent of the bits of f32. */
function nearest(value: number): number {
  const magnitude = Math.abs(value);
  let low = 0;
  let high = magnitudes.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((magnitudes[middle] as number) <= magnitude) low = middle;
    else high = middle;
  }
  const below = magnitude - (magnitudes[low] as number);
  const above = (magnitudes[high] as number) - magnitude;
  const even = low % 2 === 0 ? low : high;
  const half = below < above ? low : above < below ? high : even;
  return half | (value < 0 || Object.is(value, -0) ? 0x8000 : 0);
}

/** The f32 one step from a positive f32. */
function stepped(value: number, step: 1 | -1): number {
  const bits = new Uint32Array(Float32Array.of(value).buffer);
  bits[0] = (bits[0] as number) + step;
  return new Float32Array(bits.buffer)[0] as number;
}

function expectNearest(values: Float32Array): void {
  expect([...encodeF16(values)]).toEqual(Array.from(values, nearest));
}

describe('encodeF16', () => {
  it('gives every finite f16 back, bit for bit', () => {
    const halves = Uint16Array.from({ length: 2 * 0x7c00 }, (_, i) =>
      i < 0x7c00 ? i : i - 0x7c00 + 0x8000,
    );
    expect(encodeF16(Float32Array.from(halves, halfValue))).toEqual(halves);
  });

  it('rounds the middle between two f16 to the even one, and all beside it to the nearer', () => {
    const middles = Array.from(
      { length: 0x7c00 - 1 },
      (_, i) => ((magnitudes[i] as number) + (magnitudes[i + 1] as number)) / 2,
    );
    expectNearest(Float32Array.from(middles));
    expectNearest(Float32Array.from(middles, (value) => -value));
    expectNearest(Float32Array.from(middles, (value) => stepped(value, 1)));
    expectNearest(Float32Array.from(middles, (value) => stepped(value, -1)));
  });

  it('rounds f32 of every size below 65520, down to the smallest subnormal', () => {
    const mantissas = testValues(160 * 50, 1);
    expectNearest(mantissas.map((value, i) => value * 2 ** ((i % 160) - 145)));
    expectNearest(Float32Array.of(2 ** -149, 2 ** -25, stepped(2 ** -25, 1), -0, 0));
  });

  it('reads a view from where it begins', () => {
    const values = Float32Array.of(1, -2, 0.5, 3);
    expect([...encodeF16(values.subarray(1, 3))]).toEqual([0xc000, 0x3800]);
  });

  it('takes the largest that rounds to 65504 and refuses the next, naming index and value', () => {
    const largest = stepped(65520, -1);
    expect([...encodeF16(Float32Array.of(largest, -largest))]).toEqual([0x7bff, 0xfbff]);
    for (const value of [65520, -65520, 1e30, Number.POSITIVE_INFINITY, Number.NaN]) {
      const encode = () => encodeF16(Float32Array.of(0, 1, value));
      expect(encode).toThrow(ScoreCamError);
      expect(encode).toThrow(`Weight 2 is ${Math.fround(value)}; f16 holds magnitudes up to 65504`);
    }
  });
});
