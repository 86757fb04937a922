import { ScoreCamError } from '../errors';
import { nearest } from './nearest';
import type { Rule } from './rules';

/* What is wrong with an option. Loaded when something is. */

/** What a rule allows, in words: `a whole number from 1 to 100`. */
export function allowed(rule: Rule): string {
  if ('names' in rule) return rule.names.join(', ');
  if ('kind' in rule) return rule.kind;
  const { least, most, whole } = rule;
  const range = most === Number.POSITIVE_INFINITY ? `from ${least} on` : `from ${least} to ${most}`;
  return `a ${whole ? 'whole ' : ''}number ${range}`;
}

/** Any value in a few words, whatever it is. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 60));
  if (typeof value === 'function') return 'a function';
  if (typeof value !== 'object' || value === null) return String(value);
  if (Array.isArray(value)) return `an array of ${value.length}`;
  return `of the kind ${Object.prototype.toString.call(value).slice(8, -1)}`;
}

/** @throws ScoreCamError `option` always: what it is, and what it may be */
export function unfit(name: string, rule: Rule, value: unknown): never {
  throw new ScoreCamError(
    'option',
    'names' in rule && typeof value === 'string'
      ? `There is no ${name} ${shown(value)}. Choose from: ${allowed(rule)}.`
      : `${name} is ${shown(value)}, must be ${'names' in rule ? 'one of ' : ''}${allowed(rule)}.`,
  );
}

/** @throws ScoreCamError `option` always: what it may have been meant for */
export function unknown(name: string, names: readonly string[]): never {
  const near = nearest(name, names);
  throw new ScoreCamError(
    'option',
    `There is no option ${shown(name)}${near ? `: did you mean "${near}"?` : '.'} There are: ${names.join(', ')}.`,
  );
}
