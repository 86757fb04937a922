import { OBJECT, type Rule, type Rules } from './rules';

/*
 * Whether a value is as its rule says is decided here; what is wrong with it is said by refusals.ts, which is loaded when
 * something is.
 */

export function fits(rule: Rule, value: unknown): boolean {
  if ('names' in rule) return rule.names.includes(value as string);
  if ('is' in rule) return rule.is(value);
  const { least, most, whole } = rule;
  return (
    typeof value === 'number' &&
    value >= least &&
    value <= most &&
    (!whole || Number.isInteger(value))
  );
}

/** @throws ScoreCamError `option` naming the value and what would be right */
export async function checkOption(name: string, rule: Rule, value: unknown): Promise<void> {
  if (!fits(rule, value)) (await import('./refusals')).unfit(name, rule, value);
}

/**
 * A copy of options in which each is as its rule says: what the caller does with the object later changes nothing. Those
 * that are undefined are left out, inherited ones count.
 * @throws ScoreCamError `option` for one that is wrong, or that does not exist
 */
export async function checked<Options extends object>(
  rules: Rules<Options>,
  options: Options,
): Promise<Options> {
  await checkOption('The object of options', OBJECT, options);
  const own: Partial<Options> = {};
  for (const name in { ...rules, ...options }) {
    const key = name as keyof Options;
    const value = options[key];
    if (value === undefined) continue;
    if (!Object.hasOwn(rules, name)) (await import('./refusals')).unknown(name, Object.keys(rules));
    await checkOption(name, rules[key], value);
    own[key] = value;
  }
  return own as Options;
}
