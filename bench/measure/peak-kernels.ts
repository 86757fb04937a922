import type { Dispatch, Slice } from '../../src/gpu/kernel';
import { workgroupsFor } from '../../src/gpu/workgroups';
import { only } from '../../src/kernels/family';
import copySource from './peak_copy.wgsl';
import multiplyAddSource from './peak_multiply_add.wgsl';
import readSource from './peak_read.wgsl';

const peakMultiplyAddKernel = only(multiplyAddSource);
const peakCopyKernel = only(copySource);
const peakReadKernel = only(readSource);

export const CHAINS = [2, 4, 8] as const;

export interface MultiplyAddArgs {
  readonly chains: (typeof CHAINS)[number];
  /** A multiple of 64. */
  readonly invocations: number;
  /** Each of four multiply-adds of every chain. */
  readonly steps: number;
  /** Below 1 in size. */
  readonly factor: number;
  readonly addend: number;
  /** [invocations] vec4f */
  readonly output: Slice;
}

export function multiplyAdds(args: MultiplyAddArgs): Dispatch {
  const { chains, invocations, steps, factor, addend, output } = args;
  return {
    kernel: peakMultiplyAddKernel,
    label: `${chains} chains`,
    constants: { CHAINS: chains },
    params: { steps, factor, addend },
    buffers: { output },
    workgroups: workgroupsFor('multiply-adds', invocations, 64),
  };
}

export function multiplyAddFlop(
  args: Pick<MultiplyAddArgs, 'chains' | 'invocations' | 'steps'>,
): number {
  return 2 * 4 * 4 * args.chains * args.invocations * args.steps;
}

export interface TrafficArgs {
  /** vec4f that an invocation reads, a multiple of 4. */
  readonly perInvocation: number;
  /** One after the other, instead of side by side with the neighbours'. */
  readonly blocked: boolean;
  /** A multiple of 64. */
  readonly invocations: number;
  /** [perInvocation invocations] vec4f */
  readonly input: Slice;
  /** As large as the input; a sum each invocation where it is only read. */
  readonly output: Slice;
}

/** Copies the input, or reads it all and writes a sum each invocation. */
export function traffic(kind: 'copy' | 'read', args: TrafficArgs): Dispatch {
  const { perInvocation, blocked, invocations, input, output } = args;
  return {
    kernel: kind === 'copy' ? peakCopyKernel : peakReadKernel,
    label: kind,
    constants: { PER_INVOCATION: perInvocation, BLOCKED: Number(blocked) },
    params: {},
    buffers: { input, output },
    workgroups: [invocations / 64, 1, 1],
  };
}

export function trafficBytes(
  kind: 'copy' | 'read',
  { perInvocation, invocations }: Pick<TrafficArgs, 'perInvocation' | 'invocations'>,
): number {
  return 16 * invocations * (kind === 'copy' ? 2 * perInvocation : perInvocation + 1);
}
