import type { Access, Interface } from './kernel';

/*
 * What the host has to know of a shader as one short string, in which it is in the bundle: each of dozens of variants has
 * its own. `u0params r1map w4output;count:u32 slope:f32;POOL;ROWS COLS`: bindings, members of Params, overrides, constants.
 */

const ACCESS: Readonly<Record<string, Access>> = { u: 'uniform', r: 'read', w: 'read_write' };

export function encoded({ bindings, params, overrides, constants }: Interface): string {
  const letterOf = (access: Access): string =>
    Object.keys(ACCESS).find((letter) => ACCESS[letter] === access) as string;
  return [
    bindings.map(({ name, binding, access }) => `${letterOf(access)}${binding}${name}`),
    params.map(({ name, type }) => `${name}:${type}`),
    overrides,
    constants,
  ]
    .map((words) => words.join(' '))
    .join(';');
}

export function decoded(code: string): Interface {
  const [bindings = [], params = [], overrides = [], constants = []] = code
    .split(';')
    .map((words) => words.split(' ').filter(Boolean));
  return {
    bindings: bindings.map((word) => {
      const [, letter = '', binding = '', name = ''] = /^(\w)(\d+)(\w+)$/.exec(word) ?? [];
      return { name, binding: Number(binding), access: ACCESS[letter] as Access };
    }),
    params: params.map((word) => {
      const [name = '', type] = word.split(':');
      return { name, type: type as 'u32' | 'f32' };
    }),
    overrides,
    constants,
  };
}
