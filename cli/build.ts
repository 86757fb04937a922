/** Builds the package into dist, and says what it weighs. */
import { join } from 'node:path';
import { buildPackage } from '../vite/build';
import { BUDGET, packageSizes } from '../vite/sizes';
import { projectRoot } from './server';

const folder = join(projectRoot, 'dist');
await buildPackage(folder);
const kilobytes = (bytes: number): string => `${(bytes / 1000).toFixed(1)} kB`;
for (const [what, bytes] of Object.entries(packageSizes(folder))) {
  const most = kilobytes(BUDGET[what as keyof typeof BUDGET]);
  console.log(`${what}: ${kilobytes(bytes)} gzip, at most ${most}`);
}
