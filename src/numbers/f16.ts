import { ScoreCamError } from '../errors';

/** 65520 as f32 bits: the smallest magnitude that rounds to an infinite f16 (the largest is 65504). */
const OVERFLOW = 0x477ff000;

/** 2^-14 as f32 bits: f16 below it are subnormal, multiples of 2^-24. */
const SMALLEST_NORMAL = 0x38800000;

/** Difference of the exponents' biases, 127 - 15, in the place of an f32's exponent. */
const REBIAS = 112 << 23;

/** Adding this to a small number leaves no bits for a fraction: it is rounded, half to even. */
const ROUNDS = 2 ** 52;

/**
 * f32 to IEEE 754 binary16, rounded to nearest, half to even, subnormals included. VGG-16 has 138 million
 * weights, hence integer arithmetic on their bits, without an allocation or a call a value.
 * @throws ScoreCamError `weights` naming index and value of what f16 cannot hold (NaN and infinities too)
 */
export function encodeF16(values: Float32Array): Uint16Array<ArrayBuffer> {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const halves = new Uint16Array(values.length);
  for (let i = 0; i < bits.length; i++) {
    const word = bits[i] as number;
    const magnitude = word & 0x7fffffff;
    const sign = (word >>> 16) & 0x8000;
    if (magnitude >= SMALLEST_NORMAL) {
      if (magnitude >= OVERFLOW) throw overflow(values, i);
      // Just under half of the last bit kept, or exactly half if that bit is odd; a carry goes, rightly,
      // into the exponent.
      const nearest = magnitude - REBIAS + 0xfff + ((magnitude >>> 13) & 1);
      halves[i] = sign | (nearest >>> 13);
    } else {
      halves[i] = sign | (Math.abs(values[i] as number) * 2 ** 24 + ROUNDS - ROUNDS);
    }
  }
  return halves;
}

function overflow(values: Float32Array, i: number): ScoreCamError {
  return new ScoreCamError(
    'weights',
    `Weight ${i} is ${values[i]}; f16 holds magnitudes up to 65504. Load the model as f32.`,
  );
}
