import { ScoreCamError } from '../errors';

/** @throws ScoreCamError `option` listing what there is. */
export function oneOf<T extends string>(option: string, value: T, allowed: readonly T[]): T {
  if (allowed.includes(value)) return value;
  throw new ScoreCamError(
    'option',
    `There is no ${option} "${value}". Choose from: ${allowed.join(', ')}.`,
  );
}
