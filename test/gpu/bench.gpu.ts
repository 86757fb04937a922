import { firstLayerSubjects, kernelSubjects } from '../../bench/measure/kernels/all';
import { CHAINS, multiplyAdds, traffic } from '../../bench/measure/peak-kernels';
import { Arena } from '../../src/gpu/arena';
import type { Gpu } from '../../src/gpu/gpu';
import type { GpuCase } from '../harness/case';
import { assertClose, sumTolerance, testValues } from '../harness/compare';
import { kernels } from '../harness/kernels';

const EPSILON = 2 ** -24;

/** The chains of peak_multiply_add in f64, with what f32 may be off by, fused or not. */
function multiplyAddReference(
  chains: number,
  invocations: number,
  steps: number,
  factor: number,
  addend: number,
) {
  const values = new Float64Array(4 * invocations);
  const tolerance = new Float64Array(4 * invocations);
  for (let i = 0; i < invocations; i++) {
    let sum = 0;
    let error = 0;
    for (let j = 0; j < chains; j++) {
      let x = (i % 64) / 64 + j;
      let off = 0;
      for (let k = 0; k < 4 * steps; k++) {
        off = Math.abs(factor) * off + 2 * EPSILON * (Math.abs(factor * x) + Math.abs(addend));
        x = factor * x + addend;
      }
      sum += x;
      error += off + chains * EPSILON * Math.abs(x);
    }
    values.fill(sum, 4 * i, 4 * i + 4);
    tolerance.fill(error, 4 * i, 4 * i + 4);
  }
  return { values, tolerance };
}

async function runMultiplyAdds(gpu: Gpu, chains: (typeof CHAINS)[number]) {
  const arena = new Arena(gpu);
  const [invocations, steps, factor, addend] = [128, 3, -0.875, 0.3125];
  const output = arena.take('output', 16 * invocations);
  await gpu.submit('peak', [multiplyAdds({ chains, invocations, steps, factor, addend, output })]);
  const actual = await gpu.read(output.buffer, 4 * invocations);
  arena.dispose();
  const { values, tolerance } = multiplyAddReference(chains, invocations, steps, factor, addend);
  return assertClose('chains', actual, values, tolerance);
}

async function runTraffic(gpu: Gpu, kind: 'copy' | 'read', blocked: boolean) {
  const arena = new Arena(gpu);
  const [perInvocation, invocations] = [12, 64];
  const data = testValues(4 * perInvocation * invocations, 1);
  const input = arena.upload('input', data);
  const output = arena.take('output', data.byteLength);
  await gpu.submit(kind, [traffic(kind, { perInvocation, invocations, blocked, input, output })]);
  const count = kind === 'copy' ? data.length : 4 * invocations;
  const actual = await gpu.read(output.buffer, count);
  arena.dispose();
  if (kind === 'copy') {
    return assertClose(kind, actual, Float64Array.from(data), new Float64Array(count));
  }
  const sums = new Float64Array(count);
  const magnitude = new Float64Array(count);
  for (let at = 0; at < data.length / 4; at++) {
    const owner = blocked ? Math.floor(at / perInvocation) : at % invocations;
    for (let c = 0; c < 4; c++) {
      const value = data[4 * at + c] as number;
      sums[4 * owner + c] = (sums[4 * owner + c] as number) + value;
      magnitude[4 * owner + c] = (magnitude[4 * owner + c] as number) + Math.abs(value);
    }
  }
  const tolerance = magnitude.map((one) => sumTolerance(perInvocation, one));
  return assertClose(kind, actual, sums, tolerance);
}

/** Records every subject, without running it, and compares with the table of src/kernels. */
async function everyKernel(gpu: Gpu): Promise<string> {
  const scale = { peak: { gflops: 1, gbps: 1 }, maxBindingBytes: 2 ** 27, small: true };
  const measured = new Set<string>();
  for (const subject of [...kernelSubjects, ...firstLayerSubjects]) {
    const arena = new Arena(gpu);
    const { run, flop, bytes } = subject.record(arena, scale);
    for (const { kernel } of run) measured.add(kernel.name);
    arena.dispose();
    if (!(flop >= 0 && bytes > 0)) throw new Error(`${subject.name}: ${flop} FLOP, ${bytes} bytes`);
  }
  // Those of matrix units are made for the sizes that a device has.
  const there = kernels
    .map(({ name }) => name)
    .filter((name) => !name.startsWith('winograd_product_matrix'));
  const missing = there.filter((name) => !measured.has(name));
  if (missing.length > 0) throw new Error(`bench/measure/kernels leaves out ${missing.join(', ')}`);
  return `${there.length} kernels`;
}

export const cases: GpuCase[] = [
  ...CHAINS.map(
    (chains): GpuCase => ({
      name: `multiply-adds, ${chains} chains`,
      run: (gpu) => runMultiplyAdds(gpu, chains),
    }),
  ),
  ...(['copy', 'read'] as const).flatMap((kind) =>
    [false, true].map(
      (blocked): GpuCase => ({
        name: `${kind}, ${blocked ? 'one after the other' : 'side by side'}`,
        run: (gpu) => runTraffic(gpu, kind, blocked),
      }),
    ),
  ),
  { name: 'every kernel of src/kernels is measured', run: everyKernel },
];
