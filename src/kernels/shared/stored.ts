import type { Precision } from '../../numbers/dtypes';
import storedF16 from './stored_f16.wgsl?raw';
import storedF32 from './stored_f32.wgsl?raw';

/** A kernel for each way to store. */
export type ByPrecision<T> = Readonly<Record<Precision, T>>;

/** @param define gets the ending of the kernel's name and the prefix of its text */
export function byPrecision<T>(
  define: (form: { readonly ending: '' | '_half'; readonly prefix: string }) => T,
): ByPrecision<T> {
  return {
    f32: define({ ending: '', prefix: storedF32 }),
    f16: define({ ending: '_half', prefix: storedF16 }),
  };
}
