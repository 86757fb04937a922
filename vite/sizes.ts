import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { parseAst } from 'vite';
import { ELEMENT_FILE, SINGLE_FILE } from './build';

/** What the package weighs, in bytes after gzip. */
export interface PackageSizes {
  /** What `import ... from 'score-cam-webgpu'` loads before anything is asked for. */
  readonly imported: number;
  /** That, and what a GPU then needs to explain by Score-CAM and by Grad-CAM: {@link CORE}. */
  readonly core: number;
  /** The one-file build, which is the worker, too. */
  readonly single: number;
  /** What `import 'score-cam-webgpu/element'` loads, with the library. */
  readonly element: number;
  /** Of that, the element's own. */
  readonly elementAlone: number;
  /** The element with all that it may need in one file. */
  readonly elementFile: number;
  /** What a page's thread fetches to talk to a worker. */
  readonly remote: number;
}

/** At most this; test/package.test.ts holds the build to it. */
export const BUDGET: PackageSizes = {
  imported: 55_100,
  core: 72_000,
  single: 174_500,
  element: 65_000,
  elementAlone: 11_000,
  elementFile: 184_000,
  remote: 6_000,
};

const ENTRY = 'index.js';
const ELEMENT = 'element.js';

/** Chunks that come on demand and belong to the core all the same, with all that they import. */
export const CORE = ['score-cam', 'gradients', 'shaders-workgroup'].map(
  (name) => `chunks/${name}.js`,
);

/** @param folder Of the built package. */
export function packageSizes(folder: string): PackageSizes {
  const gzip = (file: string): number => gzipSync(readFileSync(join(folder, file))).length;
  const sizeOf = (entries: readonly string[]): number =>
    staticFiles(folder, entries).reduce((bytes, file) => bytes + gzip(file), 0);
  const imported = sizeOf([ENTRY]);
  const element = sizeOf([ENTRY, ELEMENT]);
  return {
    imported,
    core: sizeOf([ENTRY, ...CORE]),
    single: gzip(SINGLE_FILE),
    element,
    elementAlone: element - imported,
    elementFile: gzip(ELEMENT_FILE),
    remote: sizeOf([ENTRY, 'chunks/create.js']) - imported,
  };
}

/** The files and everything that they import statically, in `folder`. */
export function staticFiles(folder: string, entries: readonly string[]): readonly string[] {
  const found = new Set(entries);
  // A set's iteration goes on with what is added on the way.
  for (const file of found) {
    for (const node of parseAst(readFileSync(join(folder, file), 'utf8')).body) {
      if (!('source' in node) || !node.source) continue;
      found.add(join(dirname(file), String(node.source.value)));
    }
  }
  return [...found];
}
