import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseHTML } from 'linkedom';
import { afterAll, describe, expect, it } from 'vitest';
import { BUDGETED, BUDGETS, budgetsOf, overBudget } from '../bench/isa/budgets';
import { KNOWN_GPUS, ratesOf } from '../bench/isa/chips';
import { withTables } from '../bench/isa/docs';
import { bytesOf, hotLoopOf, kindOf, multiplyAddsOf } from '../bench/isa/hot-loop';
import { pipelinesOf } from '../bench/isa/pipelines';
import { secondsOfStep } from '../bench/isa/predict';
import { CHOSEN } from '../bench/isa/predictions';
import { GPU_FACTS, gpuDispatches } from '../bench/isa/recorded';
import { shadersIn } from '../bench/isa/spirv';
import { findTools } from '../bench/isa/tools';
import { CHIPS, type IsaResults, type KernelCode, type Way } from '../bench/isa/types';
import { waysOf } from '../bench/isa/work';
import { layerResults } from '../bench/measure/layers';
import type { Measurement } from '../bench/measure/types';
import { readResults } from '../bench/read';
import { reportPage } from '../bench/report/page';
import { lineOf } from '../bench/show';
import { projectRoot } from '../cli/server';
import type { Dispatch } from '../src/gpu/kernel';
import { seededVgg } from '../src/model/seeded-vgg';
import { compile } from '../src/plan/compile';
import { convWork } from '../src/plan/conv_cost';
import { type Rates, secondsOf } from '../src/plan/cost';
import { runScript } from './harness/run-script';

const { network } = seededVgg(16, 1);

/** Two loops, one in the other, as RADV prints them: addresses and encodings behind a semicolon. */
const ASSEMBLY = `BB0:
	s_mov_b32 s0, 0                                             ; be800380
	v_mov_b32_e32 v0, 0                                         ; 7e000280
BB1:
	s_waitcnt vmcnt(0)                                          ; bf8c3f70
	global_load_dwordx4 v[4:7], v0, s[2:3]                      ; dc380000 04020000
	ds_write_b128 v0, v[4:7]                                    ; db7c0000 00000400
	v_fma_f32 v1, v2, v3, v1                                    ; d54b0001 04060702
BB2:
	ds_read_b128 v[8:11], v0                                    ; dbfc0000 08000000
	ds_read2_b32 v[12:13], v0 offset1:1                         ; d8dc0100 0c000000
	v_fmac_f32_e32 v1, v8, v12                                  ; 56021908
	v_fmac_f32_e32 v2, v9, v12                                  ; 56041909
	v_dual_fmac_f32 v3, v8, v13 :: v_dual_fmac_f32 v14, v9, v13 ; c8001b08 030e1b09
	v_add_nc_u32_e32 v0, 16, v0                                 ; 4a000090
	s_add_i32 s0, s0, 1                                         ; 81008100
	s_cmp_lt_u32 s0, 8                                          ; bf0a8800
	s_cbranch_scc1 BB2                                          ; bf85fff0
BB3:
	s_cbranch_vccnz BB1                                         ; bf87ffe0
	v_mul_f32_e32 v1, v1, v2                                    ; 10020501
	s_endpgm                                                    ; bf810000
`;

describe('the hot loop', () => {
  const inner = {
    counts: { multiply: 3, vector: 1, lds: 2, memory: 0, scalar: 2, control: 1 },
    instructions: 9,
    multiplyAdds: 4,
    ldsBytes: 6,
  };

  it('is the outermost, with loops in it as often as their constant bounds say', () => {
    const loop = hotLoopOf(ASSEMBLY);
    expect(loop?.counts).toEqual({
      multiply: 1 + 8 * 3,
      vector: 8,
      lds: 1 + 8 * 2,
      memory: 1,
      scalar: 8 * 2,
      control: 2 + 8,
    });
    expect(loop).toMatchObject({ instructions: 5 + 8 * 9, multiplyAdds: 1 + 8 * 4 });
    expect(loop?.share).toBeCloseTo(33 / 77);
    expect(loop?.ldsBytes).toBeCloseTo((16 + 8 * 24) / 33);
    expect(loop?.memoryBytes).toBeCloseTo(16 / 33);
    expect(loop?.text.split('\n')[0]).toBe('s_waitcnt vmcnt(0)');
    expect(loop?.text.split('\n').length).toBe(14);
  });

  it('counts by steps of any size', () => {
    const fours = ASSEMBLY.replace('s_add_i32 s0, s0, 1 ', 's_addk_i32 s0, 0x4 ');
    expect(hotLoopOf(fours)).toMatchObject({ instructions: 5 + 2 * 9 });
  });

  it('is the inner one where a variable says how often that runs', () => {
    const open = ASSEMBLY.replace('s_cmp_lt_u32 s0, 8', 's_cmp_lt_u32 s0, s1');
    expect(hotLoopOf(open)).toMatchObject(inner);
    expect(hotLoopOf(open)?.text.split('\n')[0]).toBe('ds_read_b128 v[8:11], v0');
  });

  it('has a loop in it once that multiplies nothing and that a variable ends', () => {
    const open = ASSEMBLY.replace('s_cmp_lt_u32 s0, 8', 's_cmp_lt_u32 s0, s1');
    const copying = open.replaceAll(/v_(dual_)?fmac.*;/g, 'v_nop ;');
    expect(hotLoopOf(copying)).toMatchObject({ instructions: 5 + 9, multiplyAdds: 1 });
  });

  it('is the whole program where nothing loops, and none where nothing multiplies', () => {
    const straight = ASSEMBLY.replaceAll(/s_cbranch.*/g, 's_nop 0');
    expect(hotLoopOf(straight)).toMatchObject({ instructions: 18, multiplyAdds: 5 });
    expect(hotLoopOf('BB0:\n\ts_endpgm ; bf810000\n')).toBeUndefined();
  });
});

it.each([
  ['v_fma_f32 v0, v1, v2, v0', 'multiply', 1],
  ['v_fmac_f32_e32 v0, v1, v2', 'multiply', 1],
  ['v_fmamk_f32 v0, v1, 0x3f800000, v2', 'multiply', 1],
  ['v_mac_f32_e32 v0, v1, v2', 'multiply', 1],
  ['v_fma_mix_f32 v0, v1, v2, v0', 'multiply', 1],
  ['v_pk_fma_f16 v0, v1, v2, v0', 'multiply', 2],
  ['v_dual_fmac_f32 v0, v1, v2 :: v_dual_mul_f32 v3, v4, v5', 'multiply', 1],
  ['v_wmma_f32_16x16x16_f16 v[0:7], v[8:15], v[16:23], v[0:7]', 'multiply', 64],
  ['v_mad_u32_u24 v0, v1, v2, v3', 'vector', 0],
  ['v_mul_f32_e32 v0, v1, v2', 'vector', 0],
  ['s_load_dwordx4 s[0:3], s[4:5], 0x0', 'scalar', 0],
  ['s_waitcnt lgkmcnt(0)', 'control', 0],
  ['buffer_load_dword v0, v1, s[0:3], 0 offen', 'memory', 0],
] as const)('%s', (text, kind, multiplyAdds) => {
  const name = text.split(' ')[0] as string;
  expect([kindOf({ name, text }), multiplyAddsOf(text)]).toEqual([kind, multiplyAdds]);
});

it.each([
  ['ds_read_b128', 16],
  ['ds_load_b128', 16],
  ['ds_read2_b32', 8],
  ['ds_read2st64_b32', 8],
  ['ds_load_2addr_b64', 16],
  ['ds_load_2addr_stride64_b32', 8],
  ['ds_write_b32', 4],
  ['global_load_dwordx4', 16],
  ['global_load_b96', 12],
  ['buffer_load_dword', 4],
  ['buffer_load_ushort', 2],
  ['global_load_d16_b16', 2],
  ['buffer_load_ubyte', 1],
])('%s moves %i bytes', (name, bytes) => {
  expect(bytesOf(name)).toBe(bytes);
});

describe('what is compiled', () => {
  const dispatches = gpuDispatches(network);

  it('is every kernel of a GPU, and none of a software adapter', () => {
    const names = pipelinesOf(dispatches).map(({ kernel }) => kernel);
    expect(names.filter((name) => /registers|quads|naive/.test(name))).toEqual([]);
    for (const name of [
      'winograd_product_workgroup',
      'winograd_product_workgroup_half',
      'winograd_product_matrix_half',
      'winograd_input_listed',
      'masked_conv_workgroup_listed_f32',
      'conv_workgroup_f32',
      'linear_workgroup_f32',
      'fill_tiles_by_4_listed',
      'map_ranges',
      'max_pool',
    ]) {
      expect(names).toContain(name);
    }
  });

  it('can be selected, and specialised otherwise than it is chosen', () => {
    const kernels = ['winograd_product'];
    const own = pipelinesOf(dispatches, { kernels, values: { ROWS: 8, COLS: 16 } });
    expect(own.map(({ kernel, values }) => [kernel, values])).toEqual([
      ['winograd_product_matrix_half', { LANES: 256, UNIT_M: 16, UNIT_N: 16, UNIT_K: 16 }],
      ['winograd_product_workgroup', { ROWS: 8, COLS: 16, WHOLE: 1 }],
      ['winograd_product_workgroup_half', { ROWS: 8, COLS: 16, WHOLE: 1 }],
    ]);
    expect(() => pipelinesOf(dispatches, { kernels: ['nothing'] })).toThrow('"nothing"');
    expect(() => pipelinesOf(dispatches, { kernels, values: { DEPTH: 1 } })).toThrow('DEPTH');
  });
});

it('reads the entry point and the bindings of what Dawn prints', () => {
  const [shader, ...others] = shadersIn(`/* Dumped generated SPIRV disassembly */
; SPIR-V
; Version: 1.3
               OpCapability Shader
               OpExtension "SPV_KHR_maximal_reconvergence"
               OpEntryPoint GLCompute %main "main" %id
               OpExecutionMode %main MaximallyReconvergesKHR
               OpDecorate %1 Binding 0
               OpDecorate %4 Binding 2
          %1 = OpVariable %_ptr_Uniform_Params Uniform
          %4 = OpVariable %_ptr_StorageBuffer_x StorageBuffer
               OpFunctionEnd
something else
`);
  expect(others).toEqual([]);
  expect(shader?.entry).toBe('main');
  expect(shader?.bound).toEqual([
    { binding: 0, isUniform: true },
    { binding: 2, isUniform: false },
  ]);
  expect(shader?.text).not.toMatch(/aximal|^;|something/m);
  expect(shader?.hasMatrices).toBe(false);
});

it('writes what is of matrices in numbers, which every assembler takes', () => {
  const [shader] = shadersIn(`; SPIR-V
               OpCapability Float16
               OpCapability CooperativeMatrixKHR
               OpEntryPoint GLCompute %main "main" %id
          %5 = OpTypeCooperativeMatrixKHR %half %uint_3 %uint_16 %uint_16 %uint_0
          %6 = OpCooperativeMatrixLoadKHR %5 %at %uint_1 %pitch None
          %9 = OpCooperativeMatrixMulAddKHR %8 %6 %7 %sum NoneKHR
               OpCooperativeMatrixStoreKHR %to %9 %uint_0 %pitch NonPrivatePointer
               OpFunctionEnd
`);
  expect(shader?.hasMatrices).toBe(true);
  // (words << 16) + opcode, by SPV_KHR_cooperative_matrix; a result stands behind its type.
  expect(shader?.text.trim().split(/\n\s*/)).toEqual([
    'OpCapability Float16',
    'OpCapability !6022',
    'OpEntryPoint GLCompute %main "main" %id',
    `!${7 * 65536 + 4456} %5 %half %uint_3 %uint_16 %uint_16 %uint_0`,
    'OpNop',
    `!${7 * 65536 + 4457} %5 %6 %at %uint_1 %pitch !0`,
    'OpNop',
    `!${7 * 65536 + 4459} %8 %9 %6 %7 %sum !0`,
    'OpNop',
    `!${6 * 65536 + 4458} %to %9 %uint_0 %pitch !32`,
    'OpFunctionEnd',
  ]);
});

describe('the model', () => {
  const rates: Rates = {
    flops: 1e12,
    memory: 1e11,
    cache: { bytes: 1000, rate: 1e12 },
    dispatch: 1e-5,
  };
  const work = { kernel: 'any', flop: 1e9, traffic: [], dispatches: 2 };

  it('takes the longer of arithmetic and traffic, and the dispatches', () => {
    expect(secondsOf(work, rates)).toBeCloseTo(1.02e-3, 9);
    expect(secondsOf(work, rates, 0.5)).toBeCloseTo(2.02e-3, 9);
    expect(secondsOf({ ...work, traffic: [{ bytes: 1e9 }] }, rates)).toBeCloseTo(1.002e-2, 9);
  });

  it('lets pass by a cache what it holds', () => {
    const moving = (held: number) => ({ ...work, flop: 0, traffic: [{ bytes: 1e9, held }] });
    expect(secondsOf(moving(1000), rates)).toBeCloseTo(1.02e-3, 9);
    expect(secondsOf(moving(1001), rates)).toBeCloseTo(1.002e-2, 9);
  });

  const shape = {
    inChannels: 64,
    outChannels: 128,
    height: 112,
    width: 112,
    kernel: 3,
    activation: 0,
    pool: true,
  } as const;

  it('counts a direct convolution', () => {
    const [direct, ...others] = convWork(shape, { kind: 'direct', tiling: 'workgroup' }, 3);
    expect(others).toEqual([]);
    expect(direct?.flop).toBe(3 * 2 * 64 * 128 * 9 * 112 * 112);
    const bytes = direct?.traffic.reduce((sum, each) => sum + each.bytes, 0);
    expect(bytes).toBe(4 * (3 * 112 * 112 * (64 + 128 / 4) + 64 * 128 * 9));
  });

  it('counts F(4x4): a quarter of the products, V and M written and read', () => {
    const method = { kind: 'winograd', precision: 'f16', product: 'workgroup' } as const;
    const [input, product, output] = convWork(shape, method, 3);
    const tiles = 3 * 28 * 28;
    expect(product?.flop).toBe(2 * 36 * 64 * 128 * tiles);
    const handed = (own: typeof input) => own?.traffic.map(({ bytes }) => bytes);
    expect(handed(input)).toEqual([4 * 3 * 112 * 112 * 64, 2 * 36 * 64 * tiles]);
    expect(handed(output)).toEqual([2 * 36 * 128 * tiles, 3 * 56 * 56 * 128 * 4]);
    expect(handed(product)?.slice(2)).toEqual([2 * 36 * 64 * tiles, 2 * 36 * 128 * tiles]);
  });

  it('counts F(2x2) in one kernel: channels by fours, and by 16 where products are in f16', () => {
    const few = { ...shape, inChannels: 20, outChannels: 33 };
    const flopOf = (products?: 'f16') =>
      convWork(few, { kind: 'fused', precision: 'f16', sides: 1, products }, 3)[0]?.flop;
    const places = 3 * 28 * 28;
    expect(flopOf()).toBe(2 * 64 * places * 20 * 64);
    expect(flopOf('f16')).toBe(2 * 64 * places * 32 * 64);
  });

  it('counts what the documentation says of 512 masks of VGG-16, weights aside', () => {
    const counted = waysOf(network, 512).map(({ name, precision, steps }) => {
      const all = steps.slice(1, 13).flatMap((step) => step.work);
      const products = all.filter(({ kernel }) => /conv|product|fused/.test(kernel));
      const isWeights = (kernel: string, i: number) =>
        /conv|fused/.test(kernel) ? i > 0 : /product/.test(kernel) && i < 2;
      const bytes = all.flatMap(({ kernel, traffic }) =>
        traffic.filter((_, i) => !isWeights(kernel, i)).map((own) => own.bytes),
      );
      const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
      return [
        `${name}, ${precision}`,
        (sum(products.map(({ flop }) => flop)) / 1e12).toFixed(1),
        Math.round(sum(bytes) / 1e9),
      ];
    });
    expect(counted.filter(([name]) => !String(name).startsWith('as chosen'))).toEqual([
      ['direct, f32', '15.6', 30],
      ['F(4x4), f32', '4.0', 209],
      ['F(2x2), f32', '7.1', 30],
      ['F(4x4) in one, f32', '4.6', 30],
      ['F(4x4), f16', '4.0', 120],
      ['F(2x2), f16', '7.1', 30],
      ['F(4x4) in one, f16', '4.6', 30],
    ]);
  });

  it('knows the share of every kernel that convolves', () => {
    const kernels = waysOf(network, 512)
      .flatMap(({ steps }) => steps.flatMap((step) => step.work))
      .filter(({ kernel }) => /conv|winograd|linear/.test(kernel));
    expect(kernels.filter(({ kernel }) => !(kernel in BUDGETS.kernels))).toEqual([]);
  });

  it('the table of what is chosen without a measurement is never far behind it', () => {
    const ways = waysOf(network, 512).filter(({ precision }) => precision === 'f32');
    const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
    for (const gpu of KNOWN_GPUS) {
      const seconds = ({ steps }: Way): number[] =>
        steps.map((step) => secondsOfStep(step, ratesOf(gpu), 'f32', 'navi21'));
      const rivals = ways.filter(({ name }) => name !== CHOSEN).map(seconds);
      const chosen = ways.filter(({ name }) => name === CHOSEN).map(seconds);
      expect([rivals.length, chosen.length]).toEqual([4, 1]);
      const best = (chosen[0] ?? []).map((_, i) => Math.min(...rivals.map((way) => way[i] ?? 0)));
      expect(sum(chosen[0] ?? []) / sum(best), gpu.name).toBeLessThan(1.05);
    }
  });
});

const read = (path: string): string => readFileSync(join(projectRoot, path), 'utf8');

/** Results that are kept. */
const isaOf = (path: string): IsaResults => (JSON.parse(read(path)) as { isa: IsaResults }).isa;

it('the documentation has the tables of the results that are kept', () => {
  const [isa, before] = [isaOf('bench/results/isa.json'), isaOf('bench/results/isa-before.json')];
  const docs = read('docs/gpu-kernels.md');
  expect(withTables(docs, isa, before)).toBe(docs);
  expect(budgetsOf(isa)).toEqual(BUDGETS);
  expect(() => withTables('no marks', isa, before)).toThrow('kernels as compiled');
});

it('kernels as they were are beyond the budgets of now, on every chip that has some', () => {
  const found = overBudget(isaOf('bench/results/isa-before.json')).filter((problem) =>
    / share 0\.\d+, budget /.test(problem),
  );
  for (const kernel of [
    'conv_workgroup_f32',
    'linear_workgroup_f32',
    'masked_conv_workgroup_f32',
    'winograd_product_workgroup',
  ]) {
    for (const chip of BUDGETED) {
      const of = found.filter(
        (problem) => problem.startsWith(`${kernel} `) && problem.includes(` ${CHIPS[chip]}: `),
      );
      expect(of.length, `${kernel}, ${chip}`).toBeGreaterThan(0);
    }
  }
});

it('the report shows what was compiled, and what is predicted', () => {
  const isa = isaOf('bench/results/isa.json');
  const results = 'bench/results/lavapipe-2-cores.json';
  const file = { ...readResults([join(projectRoot, results)]), isa };
  const { document } = parseHTML('<html><body></body></html>');
  const page = parseHTML(reportPage(file, document)).document;
  const rows = (caption: string): number =>
    page.querySelectorAll(`[aria-label="${caption}"] tbody tr`).length;
  // Matrix units are RDNA3's alone.
  const matrices = isa.kernels.filter(({ kernel }) => kernel.includes('matrix'));
  expect(matrices.map(({ code }) => Object.keys(code))).toEqual([['navi31']]);
  expect(rows('Kernels as compiled')).toBe(3 * isa.kernels.length - 2);
  expect(rows('Predicted seconds')).toBe(KNOWN_GPUS.length);
});

describe('measured beside predicted', () => {
  const peak = { gflops: 10_000, gbps: 1000 };
  const results = (isFallback: boolean) => {
    const plan = compile(network, { ...GPU_FACTS, isFallback });
    const profile = plan.steps.map(({ name }) => ({
      kernel: 'any',
      label: name,
      ms: 10,
      dispatch: {} as Dispatch,
    }));
    return layerResults(plan, [profile], peak);
  };

  it('for every layer on a GPU', () => {
    const all = results(false);
    expect(all.filter(({ predicted = 0 }) => predicted > 0).length).toBe(all.length);
    const [fc2] = all.filter(({ name }) => name === 'fc2');
    // 67 MB at 1000 GB/s: reading its weights takes longer than multiplying by them.
    expect(fc2?.predicted).toBeCloseTo(0.0671, 3);
    expect(lineOf(fc2 as Measurement)).toMatch(/, 149 x predicted$/);
  });

  it('for none on a software adapter', () => {
    expect(results(true).some(({ predicted }) => predicted !== undefined)).toBe(false);
  });
});

const parts = 'conv_workgroup,masked_conv,linear_workgroup,winograd';
const tools = findTools();
if (typeof tools === 'string') console.log(`Kernels are not compiled for GPUs: ${tools}.`);

describe.skipIf(typeof tools === 'string')(
  'kernels as compiled for GPUs that are not there',
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'score-cam-isa-test-'));
    afterAll(() => rmSync(folder, { recursive: true, force: true }));

    it('spill nothing, and keep within their budgets', async ({ skip }) => {
      const out = join(folder, 'isa.json');
      const args = ['--isa', parts, '--chips', BUDGETED.join(), '--out', out];
      const { code, stderr } = await runScript('bench/bench.ts', args);
      expect(stderr).toBe('');
      expect(code).toBe(0);
      const { isa } = JSON.parse(readFileSync(out, 'utf8')) as { isa: IsaResults };
      if (isa.compiler !== BUDGETS.compiler) {
        skip(`budgets are of ${BUDGETS.compiler}, here is ${isa.compiler}`);
      }
      expect(overBudget(isa)).toEqual([]);
    });
  },
);

it('a kernel beyond its budget is found, and a budget that is too wide', () => {
  const ways = [
    {
      name: 'direct',
      precision: 'f32',
      steps: [
        { name: 'conv', work: [{ kernel: 'conv_workgroup', flop: 1, traffic: [], dispatches: 1 }] },
      ],
    },
  ] as const;
  const of = (...codes: readonly object[]): IsaResults => ({
    compiler: 'any',
    chips: [{ chip: 'navi21', device: 'any' }],
    kernels: codes.map((code) => ({
      kernel: 'conv_workgroup_f32',
      values: {},
      labels: ['conv'],
      code: { navi21: code as KernelCode },
    })),
    ways,
  });
  const fine = { spills: 0, vgprs: 96, waves: 10, hotLoop: { share: 0.719 } };
  const other = { spills: 0, vgprs: 104, waves: 8, hotLoop: { share: 0.73 } };
  const budgets = budgetsOf(of(fine, other));
  expect(budgets.kernels).toEqual({
    conv_workgroup: { navi21: { share: 0.71, vgprs: 104, waves: 8 } },
  });
  expect(overBudget(of(fine, other), budgets)).toEqual([]);
  expect(
    overBudget(of({ spills: 2, vgprs: 300, waves: 1, hotLoop: { share: 0.5 } }), budgets),
  ).toEqual([
    'conv_workgroup_f32 (conv), RDNA2: 2 registers spilled',
    'conv_workgroup_f32 (conv), RDNA2: 300 VGPRs, budget 104',
    'conv_workgroup_f32 (conv), RDNA2: 1 waves, budget 8',
    'conv_workgroup_f32 (conv), RDNA2: share 0.500, budget 0.71',
  ]);
  expect(overBudget(of({ ...fine, hotLoop: { share: 0.9 } }), budgets)).toEqual([
    'conv_workgroup, RDNA2: share 0.9, the budget of 0.71 can be raised',
  ]);
  expect(overBudget(of(fine), { ...budgets, kernels: {} })).toEqual([
    'conv_workgroup, RDNA2: no budget',
  ]);
});
