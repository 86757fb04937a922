/** Comparing f32 results with an f64 reference, with a tolerance that is derived, not guessed. */

const EPSILON_F32 = 2 ** -24;

/**
 * Largest absolute error allowed for a sum of `length` products computed in f32, in any order, when
 * the absolute values of the products sum to `magnitude`: (length + 2) u magnitude, u = 2^-24, is the
 * textbook bound (Higham, Accuracy and Stability of Numerical Algorithms, section 3.1, first order).
 */
export function sumTolerance(length: number, magnitude: number): number {
  return (length + 2) * EPSILON_F32 * magnitude;
}

/**
 * Throws unless |actual - expected| <= tolerance everywhere, naming the worst index; NaN never passes.
 * Returns a note with the largest error found.
 */
export function assertClose(
  what: string,
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: number | ArrayLike<number>,
): string {
  if (actual.length !== expected.length) {
    throw new Error(`${what}: ${actual.length} values, expected ${expected.length}`);
  }
  let worst = -1;
  let worstRatio = 0;
  let largest = 0;
  for (let i = 0; i < expected.length; i++) {
    const error = Math.abs((actual[i] as number) - (expected[i] as number));
    const allowed = typeof tolerance === 'number' ? tolerance : (tolerance[i] as number);
    if (error > largest) largest = error;
    if (!(error <= allowed)) {
      const ratio = Number.isNaN(error) ? Number.POSITIVE_INFINITY : error / allowed;
      if (worst < 0 || ratio > worstRatio) {
        worst = i;
        worstRatio = ratio;
      }
    }
  }
  if (worst >= 0) {
    throw new Error(
      `${what}: at index ${worst} got ${actual[worst]}, expected ${expected[worst]} ` +
        `(${worstRatio} times the tolerance)`,
    );
  }
  return `${what}: largest error ${largest.toExponential(2)}`;
}

/** Reproducible values, uniform in [-1, 1): a 32-bit hash of the index. */
export function testValues(count: number, seed: number): Float32Array {
  const values = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    let x = (i + Math.imul(seed, 0x9e3779b9)) | 0;
    x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
    x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
    values[i] = ((x ^ (x >>> 16)) >>> 8) * 2 ** -23 - 1;
  }
  return values;
}
