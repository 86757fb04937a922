import type { Chip } from './types';

/** The compiler that these figures are of. */
export const COMPILER = 'RADV of Mesa 25.0.7';

/** What a kernel may need, in every tile that VGG-16 is computed by. */
export interface Budget {
  /** Multiply-adds among the instructions of the hot loop, at least; times are predicted by it. */
  readonly share: number;
  readonly vgprs: number;
  /** Subgroups a SIMD, at least. */
  readonly waves: number;
}

/** By the kernel's name without the weights' type. */
export const BUDGETS: Readonly<
  Record<string, Partial<Readonly<Record<Chip, Budget>>> | undefined>
> = {};
