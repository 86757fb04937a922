/* What options may be: rules as data, which the library's checks, the command line and the documentation read. */

/** A number: from `least` to `most`, both included. */
export interface NumberRule {
  readonly least: number;
  readonly most: number;
  readonly whole: boolean;
}

export interface NameRule {
  readonly names: readonly string[];
}

/** A kind of value, in words, and whether one is of it. */
export interface KindRule {
  readonly kind: string;
  readonly is: (value: unknown) => boolean;
}

/** What one option may be, if it is given. */
export type Rule = NumberRule | NameRule | KindRule;

/** A rule for every option that there is. */
export type Rules<Options> = Readonly<Record<keyof Options, Rule>>;

type Is = KindRule['is'];

export const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null;
export const isText: Is = (value) => typeof value === 'string';
export const isNumber: Is = (value) => typeof value === 'number';
const isFunction: Is = (value) => typeof value === 'function';

/** Whether it has these methods: what is of another window, or the page's own, has another class. */
export const does =
  (...methods: readonly string[]): Is =>
  (value) =>
    methods.every((name) => isFunction((value as Record<string, unknown> | null)?.[name]));

/** Of an array; its holes count. */
export const all =
  (is: Is): Is =>
  (value) =>
    Array.isArray(value) && [...value].every(is);

export const either =
  (...checks: readonly Is[]): Is =>
  (value) =>
    checks.some((is) => is(value));

export const FLAG: KindRule = {
  kind: 'true or false',
  is: (value) => typeof value === 'boolean',
};
export const FUNCTION: KindRule = { kind: 'a function', is: isFunction };
export const OBJECT: KindRule = { kind: 'an object', is: isObject };
/** An index may be none of the network's; classIndex finds out. */
export const CLASS: KindRule = {
  kind: '"auto", an index or a label',
  is: either(isNumber, isText),
};
