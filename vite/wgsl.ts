import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Plugin } from 'vite';
import { NAIVE_VARIANTS } from '../bench/ladder/variants';
import { encoded } from '../src/gpu/interface_code';
import type { Declaration } from '../src/gpu/kernel';
import {
  type Axes,
  conditionsOf,
  nameOf,
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

/**
 * `import source from './name.wgsl'` gives every variant of a kernel that the tables have (`KernelSource`): plain WGSL,
 * linked, without comments, cut into declarations, and beside it what the host binds and sets, read from the text.
 *
 * In a build a declaration is a module of its own, named by its content, so that what variants and kernels share is in
 * the bundle once, and in the chunk that needs it. A server has it inline: hundreds of small requests would be slow.
 */
export function wgsl(): Plugin {
  const declarations = new Map<string, Declaration>();
  let isBuild = false;
  return {
    name: 'wgsl',
    configResolved({ command }) {
      isBuild = command === 'build';
    },
    resolveId(id) {
      return id.startsWith(DECLARATION) ? id : undefined;
    },
    load(id) {
      if (!id.startsWith(DECLARATION)) return undefined;
      return `export default ${JSON.stringify(declarations.get(id.slice(DECLARATION.length)))};`;
    },
    transform(text, id) {
      if (!id.endsWith('.wgsl')) return undefined;
      const used = new Set<string>();
      // What only others import is no kernel, and has no variants.
      const rows = text.includes('@compute') ? (TABLE[basename(id, '.wgsl')] ?? [{}]) : [];
      const code = sourceModule(id, variantsOf(rows), used, (name, declaration) => {
        if (isBuild) declarations.set(name, shortened(declaration));
        return isBuild
          ? `import ${name} from ${JSON.stringify(`${DECLARATION}${name}`)};`
          : `const ${name} = ${JSON.stringify(declaration)};`;
      });
      // A change of any of them makes the server link the kernel anew.
      for (const path of used) if (path !== id) this.addWatchFile(path);
      return { code, map: null, moduleSideEffects: false };
    },
  };
}

/** The JavaScript of a `KernelSource`. */
function sourceModule(
  path: string,
  all: readonly Variant[],
  used: Set<string>,
  declare: (name: string, declaration: Declaration) => string,
): string {
  const file = basename(path, '.wgsl');
  const declared = new Map<string, string>();
  const variants = all.map((axes) => {
    const { text, ...rest } = linked(path, axes, used);
    const facts = [nameOf(file, axes), encoded(rest)].map((word) => JSON.stringify(word));
    const names = text.map((declaration) => {
      const name = `d${createHash('sha256').update(JSON.stringify(declaration)).digest('hex').slice(0, 12)}`;
      if (!declared.has(name)) declared.set(name, declare(name, declaration));
      return name;
    });
    return `[${facts.join()}, [${names.join()}]]`;
  });
  return [
    ...declared.values(),
    `export default { file: ${JSON.stringify(file)}, variants: [${variants.join(',\n')}] };`,
  ].join('\n');
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
