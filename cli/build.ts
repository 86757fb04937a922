/** Builds the package into dist, says what it weighs, and writes the hash of the element's file into README.md. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildPackage } from '../vite/build';
import { integrityOf, withIntegrity } from '../vite/integrity';
import { BUDGET, packageSizes } from '../vite/sizes';
import { projectRoot } from './server';

const folder = join(projectRoot, 'dist');
await buildPackage(folder);
const kilobytes = (bytes: number): string => `${(bytes / 1000).toFixed(1)} kB`;
for (const [what, bytes] of Object.entries(packageSizes(folder))) {
  const most = kilobytes(BUDGET[what as keyof typeof BUDGET]);
  console.log(`${what}: ${kilobytes(bytes)} gzip, at most ${most}`);
}

const readme = join(projectRoot, 'README.md');
const text = readFileSync(readme, 'utf8');
const updated = withIntegrity(text, integrityOf(folder));
if (updated !== text) {
  writeFileSync(readme, updated);
  console.log('README.md has the new hash of the element in one file: commit it.');
}
