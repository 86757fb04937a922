import { ScoreCamError } from '../errors';
import type { Declaration, Dispatch } from './kernel';

/*
 * From a kernel's declarations to the text that a device compiles, and from a line of that text back to the source.
 */

/** The values that a dispatch gives to names. @throws ScoreCamError `kernel` for a name without one */
export function valuesOf(
  { kernel, label, constants }: Pick<Dispatch, 'kernel' | 'label' | 'constants'>,
  names: readonly string[],
): Record<string, number> {
  return Object.fromEntries(
    names.map((name) => {
      const value = constants[name];
      if (value === undefined) {
        throw new ScoreCamError(
          'kernel',
          `Kernel ${kernel.name} (${label}): no value for ${name}.`,
        );
      }
      return [name, value];
    }),
  );
}

/** What WGSL has in front of everything else, constants too. */
export const isDirective = (text: string): boolean => /^(enable|requires|diagnostic)\b/.test(text);

/** The text of a shader, declaration by declaration, with constants of the values given. */
function parts(text: readonly Declaration[], constants: Readonly<Record<string, number>>) {
  const own = Object.entries(constants).map(
    ([name, value]) => ['', 0, `const ${name} = ${value}u;`] as const,
  );
  const directives = text.filter(([, , each]) => isDirective(each));
  return [...directives, ...own, ...text.slice(directives.length)];
}

export function shaderText(
  text: readonly Declaration[],
  constants: Readonly<Record<string, number>>,
): string {
  return parts(text, constants)
    .map(([, , each]) => each)
    .join('\n');
}

/** Where a line of {@link shaderText}, counted from 1, comes from: `winograd_input.wgsl:57`. */
export function sourceOf(
  text: readonly Declaration[],
  constants: Readonly<Record<string, number>>,
  line: number,
): string | undefined {
  let first = 1;
  for (const [file, start, own] of parts(text, constants)) {
    const next = first + own.split('\n').length;
    if (line < next) return file === '' ? undefined : `${file}:${start + line - first}`;
    first = next;
  }
  return undefined;
}
