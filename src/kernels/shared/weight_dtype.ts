import type { Kernel } from '../../gpu/kernel';
import type { WeightDtype } from '../../numbers/dtypes';
import fourF16 from './four_f16.wgsl?raw';
import fourF32 from './four_f32.wgsl?raw';
import fourInt8 from './four_int8.wgsl?raw';

/** The prefix of a kernel's text: `Four`, the type of four weights in memory, and `unpack`. */
const PREFIXES: Readonly<Record<WeightDtype, string>> = {
  f32: fourF32,
  f16: fourF16,
  int8: fourInt8,
};

/**
 * One kernel for each type of weights. Pipelines are cached by the kernel's name, so the type is its end.
 * @param define gets the kernel's name and the prefix of its text.
 */
export function kernelsByDtype<Dtype extends WeightDtype>(
  dtypes: readonly Dtype[],
  name: string,
  define: (name: string, prefix: string) => Kernel,
): Readonly<Record<Dtype, Kernel>> {
  const entries = dtypes.map((dtype) => [dtype, define(`${name}_${dtype}`, PREFIXES[dtype])]);
  return Object.fromEntries(entries) as Record<Dtype, Kernel>;
}
