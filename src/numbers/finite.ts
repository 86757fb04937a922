import { ScoreCamError } from '../errors';

/** Index of the first value that is infinite or NaN; -1 where all are finite. */
export function firstNotFinite(values: Float32Array): number {
  return values.findIndex((value) => !Number.isFinite(value));
}

/** @throws ScoreCamError `not-finite` naming the value and where it is. */
export function checkFinite(values: Float32Array, what: string): void {
  const at = firstNotFinite(values);
  if (at < 0) return;
  throw new ScoreCamError(
    'not-finite',
    `${what} hold ${values[at]} at index ${at}: the weights overflow in f32, or the image does.`,
  );
}
