import { describe, expect, it } from 'vitest';
import * as kernels from '../bench/ladder/kernels';
import type { Kernel } from '../src/gpu/kernel';
import { problemsOf } from './harness/reflection';

const declared = Object.values(kernels).filter(
  (value): value is Kernel => typeof value === 'object' && 'bindings' in value,
);

describe('kernels of the ladder', () => {
  it.each(declared.map((kernel) => [kernel.name, kernel] as const))('%s', (_, kernel) => {
    expect(problemsOf(kernel)).toEqual([]);
  });
});
