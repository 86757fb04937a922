import { decoded } from '../gpu/interface_code';
import type { Kernel, KernelSource } from '../gpu/kernel';
import { type Axes, nameOf, type Variant, type VariantOf } from './variants';

/** All variants of one kernel. */
export interface Family<Rows extends readonly Axes[]> {
  readonly kernels: readonly Kernel[];
  /**
   * The variant with these values.
   * @throws Error naming what there is; types allow nothing else than what the table has
   */
  pick(variant: VariantOf<Rows[number]>): Kernel;
}

/**
 * The kernels of a file: `family<typeof VARIANTS.name>(source)`, with its rows in the table that it was linked by.
 * @param source what `import source from './name.wgsl'` gives
 */
export function family<Rows extends readonly Axes[]>({
  file,
  variants,
}: KernelSource): Family<Rows> {
  const byName = new Map<string, Kernel>(
    variants.map(([name, code, text]) => [name, { name, text, ...decoded(code) }]),
  );
  return {
    kernels: [...byName.values()],
    pick(variant) {
      const name = nameOf(file, variant as Variant);
      const kernel = byName.get(name);
      if (!kernel) throw new Error(`There is no kernel ${name}: ${[...byName.keys()].join(', ')}.`);
      return kernel;
    },
  };
}

/**
 * The kernel of a file that has one variant only.
 * @throws Error where there are more
 */
export function only(source: KernelSource): Kernel {
  const [kernel, ...others] = family<[]>(source).kernels;
  if (!kernel || others.length > 0) throw new Error(`${source.file} has several variants.`);
  return kernel;
}
