/// Compiles shaders for one chip: a process of its own, since RADV_FORCE_FAMILY and VK_DRIVER_FILES are its environment,
/// and since a driver that fails takes its process along.
import { readFileSync } from 'node:fs';
import { hotLoopOf } from './hot-loop';
import type { ChipResults, KernelCode } from './types';
import { type Bound, openCompiler } from './vulkan';

/** What it is sent: a shader each. */
export interface Request {
  /** Of a file of SPIR-V. */
  readonly path: string;
  readonly entry: string;
  readonly bound: readonly Bound[];
  /** Whether it multiplies by matrix units: not compiled for a chip without them. */
  readonly hasMatrices: boolean;
}

process.once('message', (requests: readonly Request[]) => {
  const { device, version, allowsMatrices, compile } = openCompiler();
  const kernels = requests.map(({ path, entry, bound, hasMatrices }): KernelCode | null => {
    if (hasMatrices && !allowsMatrices) return null;
    const { statistics, assembly } = compile(readFileSync(path), entry, bound);
    const of = (name: string): number => statistics[name] ?? 0;
    const hotLoop = hotLoopOf(assembly);
    return {
      vgprs: of('VGPRs'),
      sgprs: of('SGPRs'),
      spills: of('Spilled VGPRs') + of('Spilled SGPRs'),
      waves: of('Subgroups per SIMD'),
      lds: of('LDS size'),
      codeBytes: of('Code size'),
      instructions: of('Instructions'),
      inverseThroughput: of('Inverse Throughput'),
      ...(hotLoop ? { hotLoop } : {}),
    };
  });
  const results: ChipResults = { device, version, kernels };
  process.send?.(results, () => process.disconnect());
});
