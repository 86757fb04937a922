/** Which files an explanation leaves. */
import { usageError } from '../errors';
import { parseList, parseName } from '../option-types';

/** result.json is always there. */
export const FILE_KINDS = ['overlay', 'heatmap', 'map', 'scores', 'comparison'] as const;

export type FileKind = (typeof FILE_KINDS)[number];

/** @throws CliError for a name that is no kind of file */
export function parseFileKinds(text: string): readonly FileKind[] {
  if (text.trim() === 'none') return [];
  const names = parseList(text);
  if (names.includes('none')) {
    throw usageError(`--files "${text}": give none alone, or some of ${FILE_KINDS.join(', ')}.`);
  }
  const asked = names.map((name) => parseName('--files', name, [...FILE_KINDS]));
  return FILE_KINDS.filter((kind) => asked.includes(kind));
}
