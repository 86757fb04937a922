import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { projectRoot } from '../../cli/server';
import { buildPackage } from '../../vite/build';

const DIST = 'dist';

/** What a build is made of, and what it makes. */
const FILES = [
  'src',
  'vite',
  'cli/server.ts',
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  DIST,
];

/** Outside of what is published: the hash of all that when it was built, and who is building. */
const CACHE = join(projectRoot, 'node_modules/.cache/score-cam-webgpu');
const STAMP = join(CACHE, 'built');
const LOCK = join(CACHE, 'building');

/** A build takes half a minute; whoever has not ended by then was killed. */
const PATIENCE = 180_000;

function hashOfFiles(): string {
  const hash = createHash('sha256');
  const add = (path: string): void => {
    const absolute = join(projectRoot, path);
    if (!existsSync(absolute)) return;
    hash.update(path).update('\0');
    if (!statSync(absolute).isDirectory()) hash.update(readFileSync(absolute));
    else for (const name of readdirSync(absolute).sort()) add(`${path}/${name}`);
  };
  FILES.forEach(add);
  return hash.digest('hex');
}

const isBuilt = (): boolean => existsSync(STAMP) && readFileSync(STAMP, 'utf8') === hashOfFiles();

/**
 * Builds the package into dist from the sources as they are: once for all tests that need it, in whatever process, and
 * again when a file has changed.
 * @returns its folder, to be read only
 */
export async function builtPackage(): Promise<string> {
  const dist = join(projectRoot, DIST);
  mkdirSync(CACHE, { recursive: true });
  for (const start = Date.now(); ; ) {
    try {
      mkdirSync(LOCK);
    } catch {
      if (Date.now() - start < PATIENCE) await sleep(200);
      else rmSync(LOCK, { recursive: true, force: true });
      continue;
    }
    try {
      if (!isBuilt()) {
        await buildPackage(dist);
        writeFileSync(STAMP, hashOfFiles());
      }
      return dist;
    } finally {
      rmSync(LOCK, { recursive: true, force: true });
    }
  }
}
