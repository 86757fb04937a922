/*
 * An activation is one number, its code, from the manifest to the shader (kernels/shared/activation.wgsl), so that it is a
 * uniform like any other:
 *
 *   0 to 1     max(x, 0) + code min(x, 0): 0 is ReLU, 0.1 a leaky ReLU, 1 none
 *   above -1e4 min(max(x, 0), -code): -6 is ReLU6
 *   the rest   one each, below
 */

export const RELU = 0;
export const NO_ACTIVATION = 1;
/** x min(max(x / 6 + 1 / 2, 0), 1) (Howard et al. 2019, section 5.2) */
export const HARD_SWISH = -1e5;
/** x / (1 + exp(-x)) */
export const SILU = -2e5;
/** 1 / (1 + exp(-x)) */
export const SIGMOID = -3e5;
/** min(max(x / 6 + 1 / 2, 0), 1) */
export const HARD_SIGMOID = -4e5;

/** The code of a ReLU that ends at `ceiling`, above 0 and below 1e4. */
export function ceilingCode(ceiling: number): number {
  return -ceiling;
}

/** Which kind of them a kernel is specialised for: 0 of codes from 0 on, 1 a ceiling, 2 the rest. */
function curveOf(code: number): number {
  return code < 0 ? (code > -1e4 ? 1 : 2) : 0;
}

/**
 * What every kernel with an activation is specialised for.
 * @param isBounded whether no sum can be infinite or NaN (runtime/bounds.ts)
 */
export function activationConstants(
  code: number,
  isBounded = false,
): { readonly CURVE: number; readonly BOUNDED: number } {
  return { CURVE: curveOf(code), BOUNDED: Number(isBounded) };
}

/** The largest magnitude of f(x) for x up to `most`. */
export function mostOf(code: number, most: number): number {
  if (code < 0 && code > -1e4) return Math.min(most, -code);
  return code === SIGMOID || code === HARD_SIGMOID ? 1 : most;
}

/** Whether max(f(a), f(b)) is f(max(a, b)), so that sums can be pooled before they are activated. */
export function isMonotone(code: number): boolean {
  return code !== HARD_SWISH && code !== SILU;
}

/** Whether the derivative follows from what the activation gave: from its sign, and whether it is at the ceiling. */
export function isKnownByOutput(code: number): boolean {
  return code > -1e4;
}
