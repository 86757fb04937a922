import type { WindowShape } from '../../src/kernels/graph/window_shape';
import { HARD_SIGMOID, HARD_SWISH, SIGMOID, SILU } from '../../src/numbers/activation';
import { sumTolerance } from '../harness/compare';
import type { Bounded } from './conv';

/** An activation by its code, in f64. */
export function activatedReference(x: number, code: number): number {
  if (code >= 0) return Math.max(x, 0) + code * Math.min(x, 0);
  if (code > -1e4) return Math.min(Math.max(x, 0), -code);
  const hard = Math.min(Math.max(x / 6 + 0.5, 0), 1);
  const logistic = 1 / (1 + Math.exp(-x));
  switch (code) {
    case HARD_SWISH:
      return x * hard;
    case SILU:
      return x * logistic;
    case SIGMOID:
      return logistic;
    case HARD_SIGMOID:
      return hard;
  }
  throw new Error(`no activation has the code ${code}`);
}

/**
 * How far an activation computed in f32 may be from the exact one, of a sum that is wrong by `error`. Slopes are at most
 * 1.5, and values at most max(|x|, 1); WGSL lets exp(x) be wrong by 3 + 2 |x| ULP, of which a logistic keeps less than 1
 * times its value, and a division by 2.5 ULP.
 */
export function activatedTolerance(x: number, code: number, error: number): number {
  const u = 2 ** -24;
  if (code > -1e4) return error + 2 * u * Math.abs(x);
  const relative =
    code === SILU || code === SIGMOID ? 2 * (3 + 2 * Math.min(Math.abs(x), 80)) + 10 : 12;
  return 1.5 * error + relative * u * Math.max(Math.abs(x), 1);
}

/** Sum of each window, activation, and what is added before it, in f64, from weights [O, I / groups, kh, kw]. */
export function windowConvReference(
  shape: WindowShape,
  batch: number,
  input: ArrayLike<number>,
  weights: ArrayLike<number>,
  bias: ArrayLike<number>,
  added?: ArrayLike<number>,
  inputError?: ArrayLike<number>,
): Bounded {
  const { inChannels, outChannels, height, width, outHeight, outWidth, groups } = shape;
  const depth = inChannels / groups;
  const [kh, kw] = shape.kernel;
  const values = new Float64Array(batch * outChannels * outHeight * outWidth);
  const tolerance = new Float64Array(values.length);
  let at = 0;
  for (let n = 0; n < batch; n++) {
    for (let o = 0; o < outChannels; o++) {
      const first = Math.floor(o / (outChannels / groups)) * depth;
      for (let y = 0; y < outHeight; y++) {
        for (let x = 0; x < outWidth; x++) {
          let sum = (bias[o] as number) + (added?.[at] ?? 0);
          let magnitude = Math.abs(bias[o] as number) + Math.abs(added?.[at] ?? 0);
          let carried = 0;
          for (let k = 0; k < depth * kh * kw; k++) {
            const row = y * shape.stride[0] - shape.before[0] + (Math.floor(k / kw) % kh);
            const column = x * shape.stride[1] - shape.before[1] + (k % kw);
            if (row < 0 || row >= height || column < 0 || column >= width) continue;
            const channel = first + Math.floor(k / (kh * kw));
            const index = ((n * inChannels + channel) * height + row) * width + column;
            const weight = weights[o * depth * kh * kw + k] as number;
            const product = weight * (input[index] as number);
            sum += product;
            magnitude += Math.abs(product);
            if (inputError) carried += Math.abs(weight) * (inputError[index] as number);
          }
          values[at] = activatedReference(sum, shape.activation);
          // Bias and what is added are two more terms.
          const error = sumTolerance(depth * kh * kw + 4, magnitude) + carried;
          tolerance[at] = activatedTolerance(sum, shape.activation, error);
          at++;
        }
      }
    }
  }
  return { values, tolerance };
}

/** Largest or mean value of each window in f64. */
export function windowPoolReference(
  shape: WindowShape,
  batch: number,
  input: ArrayLike<number>,
  of: 'max' | 'average',
  countsPadding: boolean,
): Bounded {
  const { inChannels, height, width, outHeight, outWidth, stride, before } = shape;
  const [kh, kw] = shape.kernel;
  const values = new Float64Array(batch * inChannels * outHeight * outWidth);
  const tolerance = new Float64Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const plane = Math.floor(i / (outHeight * outWidth));
    const seen: number[] = [];
    for (let k = 0; k < kh * kw; k++) {
      const row =
        (Math.floor(i / outWidth) % outHeight) * stride[0] - before[0] + Math.floor(k / kw);
      const column = (i % outWidth) * stride[1] - before[1] + (k % kw);
      if (row < 0 || row >= height || column < 0 || column >= width) continue;
      seen.push(input[(plane * height + row) * width + column] as number);
    }
    if (of === 'max') {
      values[i] = Math.max(...seen);
    } else {
      const count = countsPadding ? kh * kw : seen.length;
      values[i] = seen.reduce((a, b) => a + b, 0) / count;
      // 2.5 ULP of WGSL's division are 5 more roundings.
      tolerance[i] = sumTolerance(
        seen.length + 5,
        seen.reduce((a, b) => a + Math.abs(b), 0) / count,
      );
    }
  }
  return { values, tolerance };
}
