import type { Manifest } from '../model/manifest';
import { normalise } from './image';
import type { Baseline } from './methods/options';
import type { Pixels } from './pixels';

/** Half the window of the blur, and its standard deviation, in pixels: those of RISE's insertion game. */
const BLUR_REACH = 5;
const BLUR_SIGMA = 5;

/** The image without evidence, [3, height, width], normalised as the network's input is. */
export function baselineInput(
  kind: Baseline,
  pixels: Pixels,
  manifest: Pick<Manifest, 'input'>,
): Float32Array {
  const { width, height } = pixels;
  if (kind === 'mean') return new Float32Array(3 * width * height);
  if (kind === 'black') {
    return normalise({ width, height, data: new Uint8ClampedArray(4 * width * height) }, manifest);
  }
  return blurred(normalise(pixels, manifest), width, height);
}

/**
 * Each plane of [planes, height, width] under a Gaussian of 11 x 11 pixels and sigma 5 (the code of
 * Petsiuk et al. 2018). At the border, the weights that are left are scaled to sum to 1.
 */
export function blurred(input: Float32Array, width: number, height: number): Float32Array {
  const across = blurredLines(input, input.length / width, width, { step: 1, start: width });
  const planes = input.length / (width * height);
  const out = new Float32Array(input.length);
  for (let p = 0; p < planes; p++) {
    const plane = across.subarray(p * width * height, (p + 1) * width * height);
    out.set(blurredLines(plane, width, height, { step: width, start: 1 }), p * width * height);
  }
  return out;
}

/** Blurs `lines` lines of `length` values; neighbours are `step` apart, lines begin `start` apart. */
function blurredLines(
  input: Float32Array,
  lines: number,
  length: number,
  { step, start }: { readonly step: number; readonly start: number },
): Float32Array {
  const out = new Float32Array(input.length);
  for (let line = 0; line < lines; line++) {
    for (let i = 0; i < length; i++) {
      let sum = 0;
      let total = 0;
      const last = Math.min(length - 1, i + BLUR_REACH);
      for (let j = Math.max(0, i - BLUR_REACH); j <= last; j++) {
        const weight = Math.exp(-((j - i) ** 2) / (2 * BLUR_SIGMA ** 2));
        sum += weight * (input[line * start + j * step] as number);
        total += weight;
      }
      out[line * start + i * step] = sum / total;
    }
  }
  return out;
}
