import { describe, expect, it } from 'vitest';
import * as kernels from '../bench/ladder/kernels';
import type { Kernel } from '../src/gpu/kernel';
import { cases } from './gpu/ladder.gpu';
import { problemsOf } from './harness/reflection';
import { gpuSuite } from './harness/suite';

const declared = Object.values(kernels).filter(
  (value): value is Kernel => typeof value === 'object' && 'bindings' in value,
);

describe('kernels of the ladder', () => {
  it.each(declared.map((kernel) => [kernel.name, kernel] as const))('%s', (_, kernel) => {
    expect(problemsOf(kernel)).toEqual([]);
  });
});

gpuSuite('ladder', cases);
