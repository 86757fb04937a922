import { createHash } from 'node:crypto';
import { basename, dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Plugin } from 'vite';
import { NAIVE_VARIANTS } from '../bench/ladder/variants';
import { encoded } from '../src/gpu/interface_code';
import type { Declaration } from '../src/gpu/kernel';
import {
  type Axes,
  conditionsOf,
  nameOf,
  tilingOf,
  VARIANTS,
  type Variant,
  variantsOf,
} from '../src/kernels/variants';
import { linkKernel } from './link';
import { shortened } from './shorten';

/** What `package::` means in every shader, those of tests and benchmarks too. */
const ROOT = fileURLToPath(new URL('../src/kernels', import.meta.url));

const TABLE: Readonly<Record<string, readonly Axes[]>> = { ...VARIANTS, ...NAIVE_VARIANTS };

/** Ids of modules with one declaration each. */
const DECLARATION = '\0wgsl:';

/** Ids of modules with a kernel's texts, by tiling, graphs' apart, and file: `export default` is what its variants are made of, in order. */
const TEXTS = '\0wgsl-texts:';

/** What the bundler knows of a module. */
interface Importers {
  readonly isEntry: boolean;
  /** Ids of those that import it at once. */
  readonly importers: readonly string[];
}

/**
 * The chunk for a module of a kernel's text, where it is needed on demand only: a tiling's, or that of what several
 * share.
 */
export function shaderChunk(id: string, infoOf: (id: string) => Importers): string | undefined {
  if (id.startsWith(TEXTS)) return `shaders-${id.slice(TEXTS.length).split('/')[0]}`;
  if (!id.startsWith(DECLARATION) || comesAtOnce(id, infoOf)) return undefined;
  const chunks = new Set(infoOf(id).importers.map((importer) => shaderChunk(importer, infoOf)));
  return chunks.size === 1 ? [...chunks][0] : 'shaders';
}

function comesAtOnce(id: string, infoOf: (id: string) => Importers): boolean {
  const { isEntry, importers } = infoOf(id);
  return isEntry || importers.some((importer) => comesAtOnce(importer, infoOf));
}

/**
 * `import source from './name.wgsl'` gives every variant of a kernel that the tables have (`KernelSource`): plain WGSL,
 * linked, without comments, cut into declarations, and beside it what the host binds and sets, read from the text.
 *
 * In a build a declaration is a module of its own, named by its content, so that what variants and kernels share is in
 * the bundle once, and in the chunk that needs it; and the texts of a tiling are fetched when one is compiled. A server
 * has them inline: hundreds of small requests would be slow.
 */
export function wgsl(): Plugin {
  /** The code of modules that a build has beside those of files, by id. */
  const modules = new Map<string, string>();
  let isBuild = false;
  const isOwn = (id: string): boolean => id.startsWith(DECLARATION) || id.startsWith(TEXTS);
  return {
    name: 'wgsl',
    configResolved({ command }) {
      isBuild = command === 'build';
    },
    resolveId(id) {
      return isOwn(id) ? id : undefined;
    },
    load(id) {
      return modules.get(id);
    },
    transform(text, path) {
      if (!path.endsWith('.wgsl')) return undefined;
      const used = new Set<string>();
      const file = basename(path, '.wgsl');
      // What only others import is no kernel, and has no variants.
      const rows = text.includes('@compute') ? (TABLE[file] ?? [{}]) : [];
      const variants = variantsOf(rows).map((axes) => {
        const { text: own, ...rest } = linked(path, axes, used);
        return { name: nameOf(file, axes), code: encoded(rest), text: own };
      });
      // A change of any of them makes the server link the kernel anew.
      for (const other of used) if (other !== path) this.addWatchFile(other);
      const tiling = isBuild ? tilingOf(file) : undefined;
      const { declared, texts } = textsOf(variants, (name, declaration) => {
        if (!isBuild) return `const ${name} = ${JSON.stringify(declaration)};`;
        const id = `${DECLARATION}${name}`;
        modules.set(id, `export default ${JSON.stringify(shortened(declaration))};`);
        return `import ${name} from ${JSON.stringify(id)};`;
      });
      const here = tiling === undefined ? declared : [];
      let thunks = texts.map((own) => `() => ${own}`);
      if (tiling !== undefined) {
        const own = basename(dirname(path)) === 'graph' ? `graph-${tiling}` : tiling;
        const id = `${TEXTS}${own}/${file}`;
        modules.set(id, [...declared, `export default [${texts.join(',\n')}];`].join('\n'));
        const load = `const load = (at) => () => import(${JSON.stringify(id)}).then((texts) => texts.default[at]);`;
        here.push(load);
        thunks = texts.map((_, at) => `load(${at})`);
      }
      const entries = variants.map(
        ({ name, code }, at) => `[${JSON.stringify(name)}, ${JSON.stringify(code)}, ${thunks[at]}]`,
      );
      const source = `export default { file: ${JSON.stringify(file)}, variants: [${entries.join(',\n')}] };`;
      return { code: [...here, source].join('\n'), map: null, moduleSideEffects: false };
    },
  };
}

/** The texts of variants as lists of names, and what declares the names, each once. */
function textsOf(
  variants: readonly { readonly text: readonly Declaration[] }[],
  declare: (name: string, declaration: Declaration) => string,
): { declared: string[]; texts: string[] } {
  const declared = new Map<string, string>();
  const texts = variants.map(({ text }) => {
    const names = text.map((declaration) => {
      const name = `d${createHash('sha256').update(JSON.stringify(declaration)).digest('hex').slice(0, 12)}`;
      if (!declared.has(name)) declared.set(name, declare(name, declaration));
      return name;
    });
    return `[${names.join()}]`;
  });
  return { declared: [...declared.values()], texts };
}

function linked(path: string, axes: Variant, used: Set<string>) {
  try {
    return linkKernel(path, ROOT, conditionsOf(axes), (file) => used.add(file));
  } catch (error) {
    const variant = Object.entries(axes).map(([axis, value]) => `${axis} ${value}`);
    const which = variant.length > 0 ? ` (${variant.join(', ')})` : '';
    throw new Error(`${basename(path)}${which}: ${(error as Error).message}`, { cause: error });
  }
}
