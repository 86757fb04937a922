import { describe, expect, it } from 'vitest';
import type { Kernel } from '../src/gpu/kernel';
import { KERNEL_NEEDS } from '../src/gpu/limits';
import { shaderText, sourceOf } from '../src/gpu/shader_text';
import { family } from '../src/kernels/family';
import softmax from '../src/kernels/layers/softmax.wgsl';
import linear from '../src/kernels/linear/linear_registers.wgsl';
import { VARIANTS } from '../src/kernels/variants';
import { FUSED_4X4_INVOCATIONS } from '../src/kernels/winograd/winograd_fused';
import { interfaceOf } from '../vite/reflect';
import {
  constantsOf,
  extensionsOf,
  files,
  isLarge,
  kernels,
  ladderKernels,
  peakKernels,
  storageOf,
  textOf,
} from './harness/kernels';
import { unportable } from './harness/portability';
import { problemsOf } from './harness/reflection';

/**
 * Every variant of every kernel is within the limits of WebGPU's core, and of its compatibility mode, whatever constants
 * the host gives it there.
 */

const LEVELS = [
  { level: 'larger workgroups', maxInvocations: FUSED_4X4_INVOCATIONS },
  { level: 'core', maxInvocations: 256 },
  { level: 'compatibility mode', maxInvocations: KERNEL_NEEDS.maxComputeInvocationsPerWorkgroup },
];

describe.each(LEVELS)('kernels in $level', ({ maxInvocations }) => {
  const own = kernels.filter(({ name }) => !isLarge(name) || maxInvocations > 256);
  const each = own.flatMap((kernel) =>
    constantsOf(kernel, maxInvocations).map((constants) => {
      const values = Object.entries(constants).map(([name, value]) => ` ${name} ${value}`);
      return { title: `${kernel.name}${values.join()}`, kernel, constants };
    }),
  );

  it.each(each)('$title', ({ kernel, constants }) => {
    expect(Object.keys(constants).sort()).toEqual(kernel.constants);
    const maxStorage = storageOf(constants, kernel.name);
    const allowed = { maxInvocations, maxStorage, extensions: extensionsOf(kernel) };
    expect(problemsOf(shaderText(textOf(kernel), constants), allowed)).toEqual([]);
  });

  it('take as many invocations as there are, some of them', () => {
    const problems = each.flatMap(({ kernel, constants }) =>
      problemsOf(shaderText(textOf(kernel), constants), {
        maxInvocations: maxInvocations - 1,
        maxStorage: storageOf(constants, kernel.name),
        extensions: extensionsOf(kernel),
      }),
    );
    expect(problems).toContainEqual(expect.stringMatching(/^invocations a workgroup/));
  });
});

describe('kernels', () => {
  it('all have constants to be checked with', () => {
    expect(kernels.filter((kernel) => constantsOf(kernel).length === 0)).toEqual([]);
  });

  it('have different names, by which pipelines are cached', () => {
    expect(new Set(kernels.map(({ name }) => name)).size).toBe(kernels.length);
  });

  it('carry no comments, and for every declaration the line of the source that it starts at', () => {
    const lines = new Map(files.map(({ name, text }) => [`${name}.wgsl`, text.split('\n')]));
    for (const kernel of kernels) {
      for (const [file, line, own] of textOf(kernel)) {
        expect(own, kernel.name).not.toContain('//');
        const [start] = own.split(/\s/) as [string];
        expect(lines.get(file)?.[line - 1], `${kernel.name}: ${file}:${line}`).toContain(start);
      }
    }
  });
});

describe('WGSL files', () => {
  it.each(files)('$name.wgsl begins with a comment that says what it computes', ({ text }) => {
    expect(text.slice(0, 400)).toMatch(/^(\/\/.*\n){3}/);
  });

  it.each(files)('$name.wgsl imports from its own folder and from shared', ({ folder, text }) => {
    const folders = [...text.matchAll(/^import package::(\w+)::/gm)].map(([, from]) => from);
    expect(folders.filter((from) => from !== folder && from !== 'shared')).toEqual([]);
  });

  it('are in the table of variants if they have an entry point, and only then', () => {
    const entryPoints = files.filter(({ isKernel }) => isKernel).map(({ name }) => name);
    expect(Object.keys(VARIANTS).sort()).toEqual(entryPoints.sort());
  });

  it.each(files.filter(({ isKernel }) => !isKernel))('$name.wgsl is part of some kernel', (own) => {
    const file = `${own.name}.wgsl`;
    expect(kernels.some((kernel) => textOf(kernel).some(([from]) => from === file))).toBe(true);
  });
});

describe('a family', () => {
  const ofLinear = family<typeof VARIANTS.linear_registers>(linear);

  it('has the kernels of the table, by the values of their axes', () => {
    expect(ofLinear.kernels.map(({ name }) => name)).toEqual([
      'linear_registers_f32',
      'linear_registers_f16',
      'linear_registers_int8',
    ]);
    expect(ofLinear.pick({ weights: 'int8' })).toBe(ofLinear.kernels[2]);
  });

  it('says what there is when asked for something else', () => {
    // @ts-expect-error there are no such weights
    expect(() => ofLinear.pick({ weights: 'f64' })).toThrow(/linear_registers_f32.*_int8/);
    // @ts-expect-error it does not go over places
    expect(() => ofLinear.pick({ weights: 'f16', places: 'listed' })).toThrow(/There is no kernel/);
  });
});

/** The text of softmax, changed: an `edit` that changes nothing proves nothing. */
function softmaxWith(edit: (text: string) => string): string {
  const right = shaderText(textOf(family<[]>(softmax).kernels[0] as Kernel), {});
  const wrong = edit(right);
  expect(wrong).not.toBe(right);
  return wrong;
}

describe('the check itself', () => {
  const wrong: [string, (text: string) => string, RegExp][] = [
    ['the entry point is not main', (text) => text.replace('fn main', 'fn other'), /^entry/],
    [
      'there are two entry points',
      (text) => `${text}\n@compute @workgroup_size(1) fn more() {}`,
      /^entry points: 2/,
    ],
    [
      'the workgroup is too large',
      (text) => text.replace('(64)', '(64, 4, 2)'),
      /^invocations a workgroup: 512/,
    ],
    [
      'the workgroup is too large by a constant',
      (text) => `const N = 16u;\n${text.replace('(64)', '(N, N * 2)')}`,
      /^invocations a workgroup: 512/,
    ],
    [
      'workgroup memory is too large',
      (text) => `const N = 64u;\nvar<workgroup> a: array<vec4f, N * 16 + 1>;\n${text}`,
      /^bytes of workgroup memory: 16400/,
    ],
    [
      'an override sizes workgroup memory',
      (text) => `var<workgroup> a: array<f32, 2 * CLASSES>;\n${text}`,
      /^array<...>, sized by override CLASSES/,
    ],
    [
      'an override sizes the workgroup',
      (text) => text.replace('(64)', '(CLASSES)'),
      /^@workgroup_size, by override CLASSES/,
    ],
    [
      'there are too many storage bindings',
      (text) =>
        `${text}\n${Array.from({ length: 7 }, (_, i) => `@group(0) @binding(${i + 3}) var<storage> more${i}: array<f32>;`).join('\n')}`,
      /^storage bindings: 9/,
    ],
  ];

  it.each(wrong)('fails when %s', (_, edit, message) => {
    expect(problemsOf(softmaxWith(edit))).toContainEqual(expect.stringMatching(message));
  });

  const foreign: [string, string, string][] = [
    ['requires readonly_and_readwrite_storage_textures;', '', 'requires readonly_and_readwrite'],
    ['enable subgroups;', '', 'enable subgroups, in a kernel for every device'],
    ['', 'override TWICE: u32 = 2 * CLASSES;', 'override TWICE with a value'],
    ['', 'struct Row { all: array<f32, CLASSES> }', 'struct Row, sized by override CLASSES'],
    ['', 'alias Row = array<f32, CLASSES + 1>;', 'array<...>, sized by override CLASSES'],
    [
      '',
      'fn f() { var row: array<array<f32, 2 * CLASSES>, 2>; }',
      'array<...>, sized by override CLASSES',
    ],
    ['', 'fn f() { let n = array<u32, CLASSES>(); }', 'array<...>, sized by override CLASSES'],
    ['', 'struct Row { @align(4 * CLASSES) all: f32 }', 'struct Row, sized by override CLASSES'],
    ['', 'fn f(@builtin(subgroup_id) id: u32) {}', '@builtin(subgroup_id)'],
    ['', 'var<immediate> count: u32;', 'var<immediate>'],
    ['', 'var<push_constant> count: u32;', 'var<push_constant>'],
    ['', 'fn f(p: ptr<workgroup, array<f32, 4>>) {}', 'a parameter that is ptr<workgroup>'],
    ['', 'fn f(p: ptr<storage, f32, read_write>) {}', 'a parameter that is ptr<storage>'],
    [
      '',
      'fn f(p: ptr<function, f32>) { var row: array<f32, 4>; f(&row[1]); }',
      'an argument &x[i] or &x.y',
    ],
  ];

  it.each(foreign)('fails for %s%s', (directive, declaration, message) => {
    const problems = unportable(softmaxWith((text) => `${directive}${text}\n${declaration}`));
    expect(problems).toContainEqual(expect.stringContaining(message));
  });

  it('allows an extension where it is used, and pointers to whole variables of a function', () => {
    const shuffle = 'fn f() { let a = subgroupShuffleXor(1.0, 2u); }';
    const point = 'fn f(p: ptr<function, f32>) { var a = 1.0; f(&a); }';
    expect(
      problemsOf(
        softmaxWith((text) => `enable subgroups;${text}${shuffle}`),
        { extensions: ['subgroups'] },
      ),
    ).toEqual([]);
    expect(
      problemsOf(
        softmaxWith((text) => `enable subgroups;${text}`),
        { extensions: ['subgroups'] },
      ),
    ).toEqual(['enable subgroups, unused']);
    expect(problemsOf(softmaxWith((text) => text + point))).toEqual([]);
  });
});

describe('kernels of the bench', () => {
  it.each([...ladderKernels, ...peakKernels])('$name runs everywhere', (kernel) => {
    const [constants = {}] = constantsOf(kernel);
    expect(unportable(shaderText(textOf(kernel), constants), extensionsOf(kernel))).toEqual([]);
  });
});

describe('what the host reads from a shader', () => {
  it('is what it binds, its parameters and its overrides', () => {
    expect(interfaceOf(softmaxWith((text) => text.replace('64', '32')))).toEqual({
      bindings: [
        { name: 'params', binding: 0, access: 'uniform' },
        { name: 'logits', binding: 1, access: 'read' },
        { name: 'probabilities', binding: 2, access: 'read_write' },
      ],
      params: [{ name: 'rows', type: 'u32' }],
      overrides: ['CLASSES'],
    });
  });

  const refused: [string, (text: string) => string, RegExp][] = [
    ['another group', (text) => text.replaceAll('@group(0)', '@group(1)'), /@group\(1\)/],
    [
      'a uniform elsewhere',
      (text) => text.replace('@binding(0)', '@binding(7)'),
      /"params" at @binding\(0\)/,
    ],
    [
      'a parameter of another type',
      (text) => text.replace('rows: u32', 'rows: i32'),
      /Params\.rows is i32/,
    ],
    [
      'a parameter elsewhere',
      (text) => text.replace('rows: u32', '@align(16) first: u32, @align(16) rows: u32'),
      /Params\.rows is u32 at byte 16/,
    ],
    ['an override by number', (text) => text.replace('override', '@id(3) override'), /@id/],
  ];

  it.each(refused)('refuses %s', (_, edit, message) => {
    expect(() => interfaceOf(softmaxWith(edit))).toThrow(message);
  });
});

describe('a line of what a device compiles', () => {
  it('leads to file and line of the source', () => {
    const kernel = kernels.find(({ name }) => name === 'winograd_product_matrix_half') as Kernel;
    const [constants] = constantsOf(kernel) as [Record<string, number>];
    const lines = shaderText(textOf(kernel), constants).split('\n');
    const sources = lines.map((_, index) => sourceOf(textOf(kernel), constants, index + 1));
    const at = (start: string) => sources[lines.findIndex((line) => line.startsWith(start))];
    const lineIn = (name: string, start: string) => {
      const own = files.find((file) => file.name === name)?.text.split('\n') ?? [];
      return `${name}.wgsl:${own.findIndex((line) => line.trim().startsWith(start)) + 1}`;
    };
    expect(at('workgroupBarrier')).toBe(lineIn('winograd_product_matrix', 'workgroupBarrier'));
    expect(at('fn store_m')).toBe(lineIn('stored', 'fn store_m'));
    expect(at('const UNIT_M')).toBeUndefined();
    expect(sourceOf(textOf(kernel), constants, lines.length + 1)).toBeUndefined();
  });
});
