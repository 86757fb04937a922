import type { Declaration } from '../src/gpu/kernel';

/*
 * What ships of a shader is shorter than what a server shows: names inside of functions are one letter, and blanks that
 * nobody needs are gone. Lines stay where they are, so that an error still names the source's.
 */

const TOKEN = /[A-Za-z_]\w*|\d[\w.]*|\s+|./gs;
const isName = (token: string | undefined): token is string =>
  token !== undefined && /^[A-Za-z_]/.test(token);
const isWord = (token: string | undefined): boolean =>
  token !== undefined && /^[A-Za-z_0-9]/.test(token);
const OPERATOR = /^[-+*/%<>=&|^!]$/;

/** A declaration as it ships. */
export function shortened([file, line, text]: Declaration): Declaration {
  const tokens = (text.match(TOKEN) ?? []) as string[];
  const isFunction = /^(@\w+(\([^)]*\))?\s*)*fn\b/.test(text);
  return [file, line, withoutBlanks(isFunction ? withShortNames(tokens) : tokens)];
}

/** Parameters and variables of a function get one letter, or two, that nothing else in it is called. */
function withShortNames(tokens: readonly string[]): string[] {
  const solid = tokens.filter((token) => token.trim() !== '');
  const taken = new Set(solid.filter(isName));
  const locals = localsOf(solid);
  const short = new Map<string, string>();
  let next = 0;
  for (const name of locals) {
    let candidate = letters(next++);
    while (taken.has(candidate)) candidate = letters(next++);
    short.set(name, candidate);
  }
  let before = '';
  let beforeThat = '';
  return tokens.map((token) => {
    if (token.trim() === '') return token;
    // A member of a struct, and the name of a built-in value, are not the function's own.
    const isForeign = before === '.' || (before === '(' && beforeThat === 'builtin');
    beforeThat = before;
    before = token;
    return (isForeign ? undefined : short.get(token)) ?? token;
  });
}

/** What a function declares, unless it calls something of the same name. */
function localsOf(tokens: readonly string[]): ReadonlySet<string> {
  const found = new Set<string>();
  const start = tokens.indexOf('(', tokens.indexOf('fn'));
  const end = tokens.indexOf('{', start);
  tokens.forEach((token, at) => {
    if (!isName(token)) return;
    const isParameter = at > start && at < end && tokens[at + 1] === ':';
    const isVariable = ['let', 'var', 'const'].includes(tokens[at - 1] ?? '');
    if (isParameter || isVariable) found.add(token);
  });
  tokens.forEach((token, at) => {
    if (tokens[at + 1] === '(') found.delete(token);
  });
  return found;
}

/** a to z, then aa to zz: none of them, `if`, `fn` and `do` apart, is a word of WGSL. */
function letters(index: number): string {
  const letter = (i: number): string => String.fromCharCode(97 + i);
  if (index < 26) return letter(index);
  const name = letter(Math.floor(index / 26) - 1) + letter(index % 26);
  // A capital: no such word is reserved.
  return ['if', 'fn', 'do', 'as', 'of'].includes(name) ? `${name}X` : name;
}

function withoutBlanks(tokens: readonly string[]): string {
  return tokens
    .map((token, at) => {
      if (token.trim() !== '') return token;
      if (token.includes('\n')) return token.replace(/[^\n]/g, '');
      const [before, after] = [tokens[at - 1], tokens[at + 1]];
      const words = isWord(before) && isWord(after);
      // `a - -b` is not `a--b`.
      const operators = OPERATOR.test(before ?? '') && OPERATOR.test(after ?? '');
      return words || operators ? ' ' : '';
    })
    .join('');
}
