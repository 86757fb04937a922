/** Words of a command line as numbers, names and lists. Each is refused with its option, what it is and what would do. */
import { usageError } from './errors';

/** Counts and seeds are at most this large unless an option says otherwise. */
const MOST = 999_999_999;

/** A whole number from `least` to `most`, both included. */
export function parseWhole(
  option: string,
  text: string,
  least: number,
  most: number = MOST,
): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= most) return value;
  const range = most === MOST && value <= most ? `from ${least} on` : `from ${least} to ${most}`;
  throw usageError(`${option} "${text}": give a whole number ${range}.`);
}

/** A number above 0; undefined where the option was not given. */
export function parsePositive(
  option: string,
  text: string | undefined,
  example: string,
): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value) && value > 0) return value;
  throw usageError(`${option} "${text}": give a number above 0, such as ${example}.`);
}

/** One of the names that an option knows. */
export function parseName<Name extends string>(
  option: string,
  text: string,
  known: readonly Name[],
): Name {
  const found = known.find((name) => name === text);
  if (found !== undefined) return found;
  throw usageError(`${option} "${text}": choose from ${known.join(', ')}.`);
}

/** `true` or `false`. */
export function parseBoolean(option: string, text: string): boolean {
  return parseName(option, text, ['true', 'false']) === 'true';
}

/** The parts between commas. */
export function parseList(text: string): string[] {
  return text.split(',').map((part) => part.trim());
}

/** Text that is not empty; undefined where the option was not given. */
export function parseFilled(
  option: string,
  text: string | undefined,
  remedy = 'give it a value or leave it out',
): string | undefined {
  if (text === undefined || text.trim() !== '') return text;
  throw usageError(`${option} is empty: ${remedy}.`);
}
