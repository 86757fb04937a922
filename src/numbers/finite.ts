import { ScoreCamError } from '../errors';

/** @throws ScoreCamError `not-finite` naming the value and where it is. */
export function checkFinite(values: ArrayLike<number>, what: string): void {
  for (let i = 0; i < values.length; i++) {
    if (Number.isFinite(values[i])) continue;
    throw new ScoreCamError(
      'not-finite',
      `${what} hold ${values[i]} at index ${i}: the weights overflow in f32, or the image does.`,
    );
  }
}
