import type { Interpolation } from '../../src/kernels/shared/interpolation';
import { testValues } from './compare';

/** Maps and sizes that interpolation and normalisation get wrong first. */

const shapes = [
  [1, 1, 1, 1],
  [1, 1, 7, 5],
  [2, 3, 7, 5],
  [14, 14, 37, 65],
  [5, 7, 5, 7],
  [9, 8, 4, 3],
  [3, 2, 1, 130],
] as const;

/** One pixel, up, down, equal, more columns than a workgroup has invocations; both corner rules. */
export const sizes: readonly Interpolation[] = shapes.flatMap(
  ([mapHeight, mapWidth, height, width]) =>
    [false, true].map((alignCorners) => ({ mapHeight, mapWidth, height, width, alignCorners })),
);

export function sizeName(size: Interpolation): string {
  const corners = size.alignCorners ? ', corners aligned' : '';
  return `${size.mapHeight} x ${size.mapWidth} to ${size.height} x ${size.width}${corners}`;
}

/** Any sign, all equal, all zero, huge, negative only, a single spike. */
export function trickyMaps(size: Interpolation): { maps: Float32Array; count: number } {
  const pixels = size.mapHeight * size.mapWidth;
  const kinds: ((value: number, i: number) => number)[] = [
    (value) => value,
    () => 0.1,
    () => 0,
    (value) => value * 1e37,
    (value) => -1 - Math.abs(value),
    (_, i) => Number(i === pixels - 1),
  ];
  const values = testValues(kinds.length * pixels, 6);
  const maps = values.map((value, i) =>
    (kinds[Math.floor(i / pixels)] as (typeof kinds)[number])(value, i % pixels),
  );
  return { maps, count: kinds.length };
}

const EPSILON_F32 = 2 ** -24;

/**
 * Largest error of one interpolated value of a map whose largest absolute value is 1. With u = 2^-24:
 * the weight's division may be off by 2.5 ULP = 5 u, the difference of two samples (at most 2) and its
 * product with the weight round once each, 2 * 7 u, and the sum (at most 1) once more: 15 u along the
 * columns. Along the rows the same again, on top of a mean of two such errors: 30 u. The other 2 u
 * are for the products of these small numbers.
 */
export const INTERPOLATION_ERROR = 32 * EPSILON_F32;

/** That error for every value of every upsampled map. */
export function interpolationTolerance(maps: Float32Array, size: Interpolation): Float64Array {
  const pixels = size.mapHeight * size.mapWidth;
  const outputs = size.height * size.width;
  const count = maps.length / pixels;
  const tolerance = new Float64Array(count * outputs);
  for (let m = 0; m < count; m++) {
    const largest = Math.max(...maps.subarray(m * pixels, (m + 1) * pixels).map(Math.abs));
    tolerance.fill(INTERPOLATION_ERROR * largest, m * outputs, (m + 1) * outputs);
  }
  return tolerance;
}

/**
 * Largest error of (v - min) / (max - min) when v, min and max are off by `error` each: numerator and
 * denominator are off by 2 error each and the quotient is at most 1; two subtractions and a division
 * of 2.5 ULP round 2 + 5 = 7 times, and 1 u is for the products of these.
 */
export function normalisationTolerance(error: number, spread: number): number {
  return (4 * error) / spread + 8 * EPSILON_F32;
}
