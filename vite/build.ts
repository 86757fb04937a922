import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path/posix';
import MagicString from 'magic-string';
import { minify } from 'terser';
import { build, type LibraryOptions, type Plugin, type Rollup } from 'vite';
import { projectRoot } from '../cli/server';
import { baseConfig } from './base';
import { elementManifest } from './elements';
import { shaderChunk } from './wgsl';

/** What JavaScript every browser with WebGPU and every supported Node reads. */
const TARGET = 'es2022';

/** The ways into the package, each `dist/NAME.js`: package.json's `exports` names them again for its readers. */
const ENTRIES = {
  index: 'src/index.ts',
  evaluation: 'src/evaluation/index.ts',
  element: 'src/element/index.ts',
} as const;

/** Files that import nothing: library and evaluation, and the element with the library. */
export const SINGLE_FILE = 'score-cam-webgpu.js';
export const ELEMENT_FILE = 'score-cam-element.js';

/** What editors know of the element, and its types in JSX. */
const ELEMENT_MANIFEST = 'custom-elements.json';
const JSX_TYPES = 'src/element/jsx.d.ts';

const SINGLE = {
  [SINGLE_FILE]: { source: 'src/single.ts', of: ['index', 'evaluation'] },
  [ELEMENT_FILE]: { source: 'src/element/script.ts', of: ['element'] },
} as const;

/** Builds all of the package's files into `folder`, which is emptied first. */
export async function buildPackage(folder: string): Promise<void> {
  rmSync(folder, { recursive: true, force: true });
  await buildModules(folder);
  await buildSingleFiles(folder);
  await buildTypes(folder);
  writeFileSync(join(folder, ELEMENT_MANIFEST), `${JSON.stringify(elementManifest(), null, 2)}\n`);
  const jsx = readFileSync(join(projectRoot, JSX_TYPES), 'utf8');
  writeFileSync(join(folder, basename(JSX_TYPES)), jsx.replace("'./index'", "'./element.js'"));
}

/** The ES build: its entries, and chunks that come when they are asked for. */
export async function buildModules(folder: string): Promise<void> {
  const fileName = (_: string, name: string): string => `${name}.js`;
  await bundle(folder, { entry: ENTRIES, formats: ['es'], fileName }, false);
}

/** The one-file builds. */
export async function buildSingleFiles(folder: string): Promise<void> {
  for (const [name, { source }] of Object.entries(SINGLE)) {
    await bundle(folder, { entry: source, formats: ['es'], fileName: () => name }, true);
  }
}

async function bundle(folder: string, lib: LibraryOptions, inOneFile: boolean): Promise<void> {
  const base = baseConfig(projectRoot);
  await build({
    ...base,
    plugins: [...base.plugins, ownWorker(inOneFile), gathered(), minified()],
    publicDir: false,
    build: {
      lib,
      outDir: folder,
      emptyOutDir: false,
      target: TARGET,
      minify: false,
      cssMinify: true,
      sourcemap: true,
      rollupOptions: {
        output: inOneFile
          ? { inlineDynamicImports: true }
          : {
              chunkFileNames: 'chunks/[name].js',
              onlyExplicitManualChunks: true,
              manualChunks: (id, { getModuleInfo }) => {
                const infoOf = (of: string) => getModuleInfo(of) as Rollup.ModuleInfo;
                return (
                  shaderChunk(id, infoOf) ?? (comesWithIndex(id, infoOf) ? 'index' : undefined)
                );
              },
            },
      },
    },
  });
}

/**
 * Says in src/remote/start.ts where the worker is, in the form that bundlers know: the one-file build, which is its own
 * worker. Chunks would be lighter, but Vite refuses workers that have any, unless its user has set worker.format.
 */
function ownWorker(inOneFile: boolean): Plugin {
  const inSource = "new URL('../worker.ts', import.meta.url)";
  return {
    name: 'own-worker',
    transform(code, id) {
      if (!id.endsWith('/src/remote/start.ts')) return undefined;
      if (!code.includes(inSource)) throw new Error(`${id} does not say ${inSource}.`);
      return replaced(code, inSource, inOneFile ? 'import.meta.url' : 'WORKER_PLACE');
    },
    renderChunk(code, { fileName }) {
      const place = relative(dirname(fileName), SINGLE_FILE);
      return replaced(code, 'WORKER_PLACE', `new URL('${place}', import.meta.url)`);
    },
    enforce: 'pre',
  };
}

/** With a map of its own, where the text occurs at all. */
function replaced(code: string, text: string, by: string) {
  if (!code.includes(text)) return undefined;
  const changed = new MagicString(code).replace(text, by);
  return { code: changed.toString(), map: changed.generateMap({ hires: true }) };
}

/**
 * Whether `import ... from 'score-cam-webgpu'` loads it at once. Such modules are one chunk, whoever else imports some of
 * them, since gzip finds what is alike in one file only.
 */
function comesWithIndex(id: string, infoOf: (id: string) => Rollup.ModuleInfo): boolean {
  const found = new Set([join(projectRoot, ENTRIES.index)]);
  // A set's iteration goes on with what is added on the way.
  for (const module of found) for (const other of infoOf(module).importedIds) found.add(other);
  return found.has(id);
}

/**
 * Shaders' texts one after another at the head of a chunk: they are alike, and gzip finds what is alike within 32 kB only.
 * 2 % of the one-file build.
 */
function gathered(): Plugin {
  return {
    name: 'gathered',
    renderChunk: {
      order: 'post',
      handler(code) {
        const moved = new MagicString(code);
        const imports = /^(?:import [^;]*;\s*)*/.exec(code)?.[0].length ?? 0;
        // Each is a statement on a line of its own, as vite/wgsl.ts writes it.
        for (const { index, 0: statement } of code.matchAll(
          /^(?:const|var) \S+ = \["\w+\.wgsl",.*\];\n/gm,
        )) {
          if (index > imports) moved.move(index, index + statement.length, imports);
        }
        return { code: moved.toString(), map: moved.generateMap({ hires: true }) };
      },
    },
  };
}

/**
 * Vite leaves a library's white space for the sake of annotations that bundlers read. Here package.json says that no
 * module has side effects, and the files are meant to be served as they are. Terser, since esbuild leaves 4 % more.
 */
function minified(): Plugin {
  return {
    name: 'minified',
    renderChunk: {
      order: 'post',
      async handler(code) {
        const { code: short, map } = await minify(code, {
          module: true,
          ecma: 2020,
          compress: { passes: 3 },
          format: { comments: false },
          sourceMap: true,
        });
        if (short === undefined || typeof map !== 'string')
          throw new Error('Nothing was minified.');
        return { code: short, map: JSON.parse(map) };
      },
    },
  };
}

/** Declarations rolled up into one file an entry, so that no resolution of imports can fail in them. */
async function buildTypes(folder: string): Promise<void> {
  const { rollup } = await import('rollup');
  const { dts } = await import('rollup-plugin-dts');
  for (const [name, input] of Object.entries(ENTRIES)) {
    const bundle = await rollup({
      input: join(projectRoot, input),
      plugins: [
        dts({
          tsconfig: join(projectRoot, 'tsconfig.json'),
          // Constructors that only the library calls would bring its insides along.
          compilerOptions: { stripInternal: true },
        }),
      ],
      onLog: (_, { message }) => {
        throw new Error(`The types of ${input}: ${message}`);
      },
    });
    await bundle.write({
      file: join(folder, `${name}.d.ts`),
      format: 'es',
      banner: name === 'index' ? WEBGPU_TYPES : '',
    });
  }
  for (const [file, { of }] of Object.entries(SINGLE)) {
    const names = of.map((name) => `export * from './${name}.js';\n`);
    writeFileSync(join(folder, file.replace(/js$/, 'd.ts')), names.join(''));
  }
}

/** What a GPUDevice is: TypeScript 5 does not know it. package.json has it as an optional peer. */
const WEBGPU_TYPES = '/// <reference types="@webgpu/types" />\n';
