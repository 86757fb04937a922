import { NAIVE_VARIANTS } from '../../bench/ladder/variants';
import { nameOf, VARIANTS, variantsOf } from '../../src/kernels/variants';

/*
 * The shaders as they are written. They are large together: whoever shows them imports this file dynamically, so that it
 * is a chunk of its own.
 */

const TEXTS = import.meta.glob<string>(
  ['../../src/kernels/**/*.wgsl', '../../bench/ladder/*.wgsl'],
  { query: '?raw', import: 'default', eager: true },
);

/** Kinds of kernels, in the order in which a pass meets them. */
export const KINDS = [
  'convolution',
  'winograd',
  'graph',
  'linear',
  'layers',
  'maps',
  'tiles',
  'inputs',
  'shared',
  'ladder',
] as const;
export type Kind = (typeof KINDS)[number];

/** One `.wgsl` file. */
export interface KernelFile {
  /** Without its ending. */
  readonly file: string;
  readonly kind: Kind;
  /** What its comment at the head says: the sum, shapes, costs, preconditions. */
  readonly header: string;
  /** The first sentence of it. */
  readonly summary: string;
  /** What comes after it. */
  readonly code: string;
  /** Names of the kernels that are made of it; none of what others import. */
  readonly kernels: readonly string[];
}

export const KERNEL_FILES: readonly KernelFile[] = Object.entries(TEXTS)
  .map(([path, text]) => fileOf(path, text))
  .sort((a, b) => KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind) || (a.file < b.file ? -1 : 1));

/** The file of a kernel by the kernel's name. */
export const FILE_OF: ReadonlyMap<string, KernelFile> = new Map(
  KERNEL_FILES.flatMap((file) => file.kernels.map((kernel) => [kernel, file] as const)),
);

function fileOf(path: string, text: string): KernelFile {
  const [folder, name] = path.split('/').slice(-2) as [Kind, string];
  const file = name.replace(/\.wgsl$/, '');
  const comment = /^(?:\/\/.*\n)+/.exec(text)?.[0] ?? '';
  const header = comment.replaceAll(/^\/\/ ?/gm, '').trim();
  const kernels = text.includes('@compute') ? kernelsOf(file) : [];
  return {
    file,
    kind: kernels.length > 0 ? folder : 'shared',
    header,
    summary: (/^.*?(?=[.:;]\s|\.?$)/s.exec(header)?.[0] ?? '').replaceAll('\n', ' '),
    code: text.slice(comment.length).trim(),
    kernels,
  };
}

function kernelsOf(file: string): string[] {
  const tables = { ...VARIANTS, ...NAIVE_VARIANTS };
  const rows = Object.entries(tables).find(([name]) => name === file)?.[1] ?? [{}];
  return variantsOf(rows).map((axes) => nameOf(file, axes));
}
