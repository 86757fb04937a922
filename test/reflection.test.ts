import { describe, expect, it } from 'vitest';
import type { Kernel } from '../src/gpu/kernel';
import { softmaxKernel } from '../src/kernels/layers/softmax';
import { winogradProductMatrixKernel } from '../src/kernels/winograd/winograd_product';
import { problemsOf } from './harness/reflection';

/** Every kernel's declaration is what its WGSL says, and its needs are within the default limits. */

const modules = import.meta.glob<Record<string, unknown>>('../src/kernels/*/*.ts', { eager: true });
const texts = import.meta.glob<string>('../src/kernels/*/*.wgsl', {
  eager: true,
  query: '?raw',
  import: 'default',
});

function isKernel(value: unknown): value is Kernel {
  return typeof value === 'object' && value !== null && 'bindings' in value && 'code' in value;
}

/** Exported kernels, and those inside of exported objects: kernels by dtype, ways to convolve. */
function kernelsIn(value: unknown): Kernel[] {
  if (isKernel(value)) return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(kernelsIn) : [];
}

/** One for each size of matrix units; only the size differs. */
const matrixKernel = winogradProductMatrixKernel({ m: 16, n: 16, k: 16, subgroupMaxSize: 32 });

const kernels = [...new Set(Object.values(modules).flatMap(kernelsIn)), matrixKernel];

/** A kernel for one type of weights is named after its file and the type. */
const BY_DTYPE = /^(.*)_(f32|f16|int8)$/;

const files = Object.entries(texts).map(([path, text]) => ({
  name: path.replace(/^.*\/(.*)\.wgsl$/, '$1'),
  text,
}));

/** The types of weights a kernel that reads them is made for. */
function dtypesOf(name: string): string[] {
  return name.startsWith('linear') ? ['f32', 'f16', 'int8'] : ['f32', 'f16'];
}

/** Kernels that go over listed places alone. */
const LISTED_ONLY = ['fill_tiles'];

describe('kernel declarations', () => {
  it.each(kernels.map((kernel) => [kernel.name, kernel] as const))('%s', (_, kernel) => {
    expect(problemsOf(kernel)).toEqual([]);
  });
});

describe('WGSL files', () => {
  it.each(files)('$name.wgsl begins with a comment that says what it computes', ({ text }) => {
    expect(text.slice(0, 400)).toMatch(/^(\/\/.*\n){3}/);
  });

  const withEntryPoint = files.filter(({ text }) => text.includes('@compute'));
  const shared = files.filter(({ text }) => !text.includes('@compute'));

  it.each(withEntryPoint)(
    '$name.wgsl belongs to one kernel, or to one a dtype',
    ({ name, text }) => {
      const owners = kernels
        .filter((kernel) => kernel.code.endsWith(text))
        .map((kernel) => kernel.name);
      const dtypes = text.includes('array<Four>') ? dtypesOf(name) : undefined;
      // Each once in f32 and once in f16, once over all places and once over listed ones.
      const stored = text.includes('UNIT_M')
        ? [`${name}_16x16x16`]
        : /\bStored4?\b/.test(text)
          ? [name, `${name}_half`]
          : /\bRun\b/.test(text)
            ? [name, `${name}_by_2`, `${name}_by_4`]
            : [name];
      const placed = LISTED_ONLY.includes(name) ? ['_listed'] : ['', '_listed'];
      const forms = text.includes('place_of(')
        ? stored.flatMap((form) => placed.map((ending) => `${form}${ending}`))
        : stored;
      const expected = forms.flatMap((form) =>
        dtypes ? dtypes.map((dtype) => `${form}_${dtype}`) : [form],
      );
      expect(owners).toEqual(expected);
    },
  );

  it.each(
    kernels
      .filter(({ name }) => BY_DTYPE.test(name))
      .map((kernel) => [kernel.name, kernel] as const),
  )('%s un-packs its weights by the prefix of its dtype and no other', (name, { code }) => {
    const dtype = BY_DTYPE.exec(name)?.[2];
    const prefixes = shared.filter((file) => file.name.startsWith('four_'));
    const used = prefixes.filter(({ text }) => code.includes(text));
    expect(used.map((file) => file.name)).toEqual([`four_${dtype}`]);
  });

  it.each(shared)('$name.wgsl is part of some kernel', ({ text }) => {
    expect(kernels.some((kernel) => kernel.code.includes(text))).toBe(true);
  });

  it('are the source of every kernel', () => {
    const sources = kernels.map(({ name }) =>
      (BY_DTYPE.exec(name)?.[1] ?? name)
        .replace(/_listed$|_16x16x16$/, '')
        .replace(/_half$|_by_[24]$/, ''),
    );
    expect([...new Set(sources)].sort()).toEqual(withEntryPoint.map(({ name }) => name).sort());
  });

  it('have kernels of different names, by which pipelines are cached', () => {
    expect(new Set(kernels.map(({ name }) => name)).size).toBe(kernels.length);
  });
});

describe('the check itself', () => {
  const right = softmaxKernel;
  const wrong: [string, Partial<Kernel>, RegExp][] = [
    ['a binding is missing', { bindings: right.bindings.slice(0, -1) }, /^bindings/],
    ['bindings are swapped', { bindings: right.bindings.toReversed() }, /^bindings/],
    [
      'an access mode differs',
      { bindings: right.bindings.map((binding) => ({ ...binding, access: 'read_write' })) },
      /^bindings/,
    ],
    ['the group is not 0', { code: right.code.replaceAll('@group(0)', '@group(1)') }, /^bindings/],
    ['a parameter is named otherwise', { params: [{ name: 'row', type: 'u32' }] }, /^params/],
    ['a parameter has another type', { params: [{ name: 'rows', type: 'f32' }] }, /^params/],
    [
      'a parameter is at another offset',
      { code: right.code.replace('rows: u32', '@align(16) first: u32, @align(16) rows: u32') },
      /^params/,
    ],
    ['an override is not declared', { overrides: [] }, /^overrides/],
    ['an override is not in the shader', { overrides: ['CLASSES', 'ROWS'] }, /^overrides/],
    [
      'an override goes by number',
      { code: right.code.replace('override', '@id(3) override') },
      /^overrides/,
    ],
    ['the entry point is not main', { code: right.code.replace('fn main', 'fn other') }, /^entry/],
    [
      'the workgroup is too large',
      { code: right.code.replace('(64)', '(64, 4, 2)') },
      /^invocations a workgroup: 512/,
    ],
    [
      'workgroup memory is too large, at the default of an override',
      { code: `override N: u32 = 64;\nvar<workgroup> a: array<vec4f, N * 16 + 1>;\n${right.code}` },
      /^bytes of workgroup memory: 16400/,
    ],
    [
      'workgroup memory has no size without a value for an override',
      { code: `var<workgroup> a: array<f32, CLASSES>;\n${right.code}` },
      /^bytes of workgroup memory: NaN/,
    ],
    [
      'there are too many storage bindings',
      {
        bindings: Array.from({ length: 9 }, (_, i) => ({ name: `b${i}`, access: 'read' as const })),
      },
      /^storage bindings: 9/,
    ],
  ];

  it.each(wrong)('fails when %s', (_, change, message) => {
    expect(problemsOf(right)).toEqual([]);
    expect(problemsOf({ ...right, ...change })).toContainEqual(expect.stringMatching(message));
  });
});
