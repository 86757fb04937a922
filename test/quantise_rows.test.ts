import { describe, expect, it } from 'vitest';
import { ScoreCamError } from '../src/errors';
import { quantiseRows } from '../src/numbers/int8';
import { testValues } from './harness/compare';

/** The integer whose multiple of `scale` is nearest, found by trying all; the even one of two. */
function nearest(value: number, scale: number): number {
  let best = -128;
  for (let integer = -127; integer <= 127; integer++) {
    const gain = Math.abs(value - scale * best) - Math.abs(value - scale * integer);
    if (gain > 0 || (gain === 0 && integer % 2 === 0)) best = integer;
  }
  return best;
}

describe('quantiseRows', () => {
  it('takes the largest magnitude of each row as 127 and the nearest integer for the rest', () => {
    const [rows, inFeatures] = [6, 131];
    const sizes = [1, 1e-3, 3e30, 1e-30, 7, 0.1];
    const values = testValues(rows * inFeatures, 1).map(
      (value, i) => value * (sizes[Math.floor(i / inFeatures)] as number),
    );
    const { integers, scales } = quantiseRows(values, rows, inFeatures);
    for (let row = 0; row < rows; row++) {
      const own = values.subarray(row * inFeatures, (row + 1) * inFeatures);
      const largest = own.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      const scale = Math.fround(largest / 127);
      expect(scales[row]).toBe(scale);
      expect([...integers.subarray(row * inFeatures, (row + 1) * inFeatures)]).toEqual(
        Array.from(own, (value) => nearest(value, scale)),
      );
    }
  });

  it('rounds halves to the even integer', () => {
    const values = Float32Array.of(127, 0.5, 1.5, 2.5, -0.5, -1.5, -2.5);
    const { integers, scales } = quantiseRows(values, 1, 7);
    expect(scales[0]).toBe(1);
    expect([...integers]).toEqual([127, 0, 2, 2, 0, -2, -2]);
  });

  it('gives a row of zeros the scale 1', () => {
    const { integers, scales } = quantiseRows(Float32Array.of(0, -0, 127, 0), 2, 2);
    expect([...integers]).toEqual([0, 0, 127, 0]);
    expect([...scales]).toEqual([1, 1]);
  });

  it('keeps a scale that a GPU could take for zero normal, and its integers within 127', () => {
    const smallest = 2 ** -126;
    const values = Float32Array.of(2 ** -149, 3 * smallest, 126 * smallest, -1e-44);
    const { integers, scales } = quantiseRows(values, 2, 2);
    expect([...scales]).toEqual([smallest, smallest]);
    expect([...integers]).toEqual([0, 3, 126, 0]);
  });

  it('finds the integers of a quantised file again, -128 included', () => {
    const own = Float32Array.of(1, 0.1, 2 ** -126, 1.7e30, 3.3e-5);
    const expected = Int8Array.from({ length: own.length * 256 }, (_, i) => (i % 256) - 128);
    const values = Float32Array.from(
      expected,
      (integer, i) => integer * (own[Math.floor(i / 256)] as number),
    );
    const { integers, scales } = quantiseRows(values, own.length, 256, own);
    expect(integers).toEqual(expected);
    expect(scales).toEqual(own);
  });

  it('accepts a given scale of 0 for a row of zeros', () => {
    const { integers, scales } = quantiseRows(Float32Array.of(0, 0), 1, 2, Float32Array.of(0));
    expect([...integers, ...scales]).toEqual([0, 0, 0]);
  });

  const wrong: [string, number[], number[] | undefined, RegExp][] = [
    ['a NaN', [1, Number.NaN], undefined, /Weight 1 of row 0 is NaN.*finite/],
    ['an infinity', [1, Number.NEGATIVE_INFINITY], undefined, /Weight 1 of row 0 is -Infinity/],
    ['a value beyond its scale', [0, 128], [1], /Weight 1 of row 0 is 128.*multiple of 1:/],
    ['a value where the scale is 0', [0, 1], [0], /Weight 1 of row 0 is 1.*multiple of 0:/],
    ['a negative scale', [0, 1], [-1], /scale of row 0 is -1/],
    ['a scale that is not finite', [0, 1], [Number.NaN], /scale of row 0 is NaN/],
    ['too many scales', [0, 1], [1, 1], /2 values and 1 scales, got 2 and 2/],
    ['too few values', [0], undefined, /2 values and 1 scales, got 1 and none/],
  ];
  it.each(wrong)('refuses %s', (_, values, scales, message) => {
    const quantise = () =>
      quantiseRows(Float32Array.from(values), 1, 2, scales && Float32Array.from(scales));
    expect(quantise).toThrow(ScoreCamError);
    expect(quantise).toThrow(message);
  });
});
