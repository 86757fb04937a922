import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { parseAst } from 'vite';
import { SINGLE_FILE } from './build';

/** What the package weighs, in bytes after gzip. */
export interface PackageSizes {
  /** What `import ... from 'score-cam-webgpu'` loads before anything is asked for. */
  readonly core: number;
  /** The one-file build. */
  readonly single: number;
}

/** At most this; test/package.test.ts holds the build to it. Only ever lower it. */
export const BUDGET: PackageSizes = { core: 60_000, single: 95_000 };

/** @param folder Of the built package. */
export function packageSizes(folder: string): PackageSizes {
  const gzip = (file: string): number => gzipSync(readFileSync(join(folder, file))).length;
  return {
    core: staticFiles(folder, 'index.js').reduce((bytes, file) => bytes + gzip(file), 0),
    single: gzip(SINGLE_FILE),
  };
}

/** The file and everything that it imports statically, in `folder`. */
function staticFiles(folder: string, entry: string): readonly string[] {
  const found = new Set([entry]);
  // A set's iteration goes on with what is added on the way.
  for (const file of found) {
    for (const node of parseAst(readFileSync(join(folder, file), 'utf8')).body) {
      if (!('source' in node) || !node.source) continue;
      found.add(join(dirname(file), String(node.source.value)));
    }
  }
  return [...found];
}
