import { type Dispatch, defineKernel, type Slice } from '../../src/gpu/kernel';
import { gridOf } from '../../src/gpu/workgroups';
import copyCode from './peak_copy.wgsl?raw';
import multiplyAddCode from './peak_multiply_add.wgsl?raw';
import readCode from './peak_read.wgsl?raw';

export const peakMultiplyAddKernel = defineKernel({
  name: 'peak_multiply_add',
  code: multiplyAddCode,
  params: [
    { name: 'steps', type: 'u32' },
    { name: 'factor', type: 'f32' },
    { name: 'addend', type: 'f32' },
  ],
  storage: [{ name: 'output', access: 'read_write' }],
  overrides: ['CHAINS'],
});

const inputAndOutput = [
  { name: 'input', access: 'read' },
  { name: 'output', access: 'read_write' },
] as const;

export const peakCopyKernel = defineKernel({
  name: 'peak_copy',
  code: copyCode,
  storage: inputAndOutput,
  overrides: ['PER_INVOCATION', 'BLOCKED'],
});

export const peakReadKernel = defineKernel({
  name: 'peak_read',
  code: readCode,
  storage: inputAndOutput,
  overrides: ['PER_INVOCATION', 'BLOCKED'],
});

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
    workgroups: gridOf('multiply-adds', invocations, 64),
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
