import { describe, expect, it } from 'vitest';
import { shaderText } from '../src/gpu/shader_text';
import { ladderKernels, textOf } from './harness/kernels';
import { problemsOf } from './harness/reflection';

describe('kernels of the ladder', () => {
  it.each(ladderKernels.map((kernel) => [kernel.name, kernel] as const))('%s', (_, kernel) => {
    expect(kernel.constants).toEqual([]);
    expect(problemsOf(shaderText(textOf(kernel), {}))).toEqual([]);
  });
});
