import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ELEMENT_FILE } from './build';

/*
 * The hash by which a page makes sure that a script from elsewhere is the one it means (Subresource Integrity). It changes
 * with every byte of the library: `npm run build` writes it into README.md, and test/package.test.ts compares.
 */

export function integrityOf(folder: string): string {
  const bytes = readFileSync(join(folder, ELEMENT_FILE));
  return `sha384-${createHash('sha384').update(bytes).digest('base64')}`;
}

const ATTRIBUTE = /integrity="(sha384-[^"]*)"/g;

/** The hashes that a text with script tags states. */
export function integritiesIn(text: string): string[] {
  return [...text.matchAll(ATTRIBUTE)].map(([, hash]) => hash as string);
}

export function withIntegrity(text: string, hash: string): string {
  return text.replace(ATTRIBUTE, `integrity="${hash}"`);
}
