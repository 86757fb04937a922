/** A directive or declaration of a shader at module scope. */
export interface TopLevel {
  readonly text: string;
  /** Where it starts in the text that was split. */
  readonly start: number;
}

/**
 * Splits WGSL without comments into what stands at module scope: each ends in a semicolon, or in the brace that closes
 * it, outside of any other bracket.
 */
export function topLevelOf(code: string): TopLevel[] {
  const found: TopLevel[] = [];
  let depth = 0;
  let start = 0;
  for (let at = 0; at < code.length; at++) {
    const character = code[at] as string;
    if ('({['.includes(character)) depth++;
    if (')}]'.includes(character)) depth--;
    if (depth > 0 || (character !== ';' && character !== '}')) continue;
    const text = code.slice(start, at + 1);
    const blank = text.length - text.trimStart().length;
    if (text.trim() !== ';') found.push({ text: text.trim(), start: start + blank });
    start = at + 1;
  }
  return found;
}
