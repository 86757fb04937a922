import { ScoreCamError } from '../errors';

/** The largest integer used of int8; -128 is left out, so that the integers are symmetric. */
const LARGEST = 127;

/** Smallest normal f32: a GPU may take anything smaller for zero. */
const SMALLEST_NORMAL = 2 ** -126;

/** Adding this to a small number leaves no bits for a fraction: it is rounded, half to even. */
const ROUNDS = 1.5 * 2 ** 52;

export interface QuantisedRows {
  /** [rows, inFeatures] */
  readonly integers: Int8Array<ArrayBuffer>;
  /** [rows]: weight = scale x integer */
  readonly scales: Float32Array<ArrayBuffer>;
}

/**
 * A weight matrix in int8 with one scale a row, symmetric: integer = weight / scale, rounded half to even.
 * The scale is the row's largest magnitude / 127, rounded to f32 and not below the smallest normal f32;
 * 1 for a row of zeros.
 * @param values [rows, inFeatures]
 * @param scales [rows]: those of a file that is quantised already, whose integers come out again exactly,
 *   -128 included.
 * @throws ScoreCamError `weights` for sizes that do not agree, for a value that is not finite, for a scale
 *   that is negative or not finite, and for a value beyond -128 to 127 times its given scale
 */
export function quantiseRows(
  values: Float32Array,
  rows: number,
  inFeatures: number,
  scales?: Float32Array,
): QuantisedRows {
  if (values.length !== rows * inFeatures || (scales && scales.length !== rows)) {
    throw new ScoreCamError(
      'weights',
      `A matrix of ${rows} rows and ${inFeatures} columns needs ${rows * inFeatures} values and ` +
        `${rows} scales, got ${values.length} and ${scales?.length ?? 'none'}.`,
    );
  }
  const integers = new Int8Array(values.length);
  const used = new Float32Array(rows);
  for (let row = 0; row < rows; row++) {
    const start = row * inFeatures;
    const end = start + inFeatures;
    used[row] = scales ? givenScale(scales, row) : scaleOf(values, start, end);
    const scale = used[row] as number;
    for (let i = start; i < end; i++) {
      const value = values[i] as number;
      // A given scale of 0 fits a row of zeros.
      const integer = value === 0 ? 0 : value / scale + ROUNDS - ROUNDS;
      if (!(integer >= -128 && integer <= LARGEST)) throw outside(value, row, i - start, scale);
      integers[i] = integer;
    }
  }
  return { integers, scales: used };
}

function scaleOf(values: Float32Array, start: number, end: number): number {
  let largest = 0;
  for (let i = start; i < end; i++) {
    const magnitude = Math.abs(values[i] as number);
    // A NaN is passed over here and refused when its integer is made.
    if (magnitude > largest) largest = magnitude;
  }
  return largest === 0 ? 1 : Math.max(largest / LARGEST, SMALLEST_NORMAL);
}

function givenScale(scales: Float32Array, row: number): number {
  const scale = scales[row] as number;
  if (!(scale >= 0 && scale < Number.POSITIVE_INFINITY)) {
    throw new ScoreCamError(
      'weights',
      `The scale of row ${row} is ${scale}; a scale must be finite and not negative.`,
    );
  }
  return scale;
}

function outside(value: number, row: number, column: number, scale: number): ScoreCamError {
  return new ScoreCamError(
    'weights',
    `Weight ${column} of row ${row} is ${value}, which int8 cannot hold as a multiple of ${scale}: ` +
      'weights must be finite and within -128 to 127 times the scale of their row.',
  );
}
