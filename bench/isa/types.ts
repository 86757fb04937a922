import type { Precision } from '../../src/numbers/dtypes';
import type { Work } from '../../src/plan/cost';
import type { HotLoop } from './hot-loop';

/** Chips that RADV compiles for (RADV_FORCE_FAMILY), and their generation. */
export const CHIPS = { navi31: 'RDNA3', navi21: 'RDNA2', vega10: 'GCN5' } as const;

export type Chip = keyof typeof CHIPS;

/** What the compiler made of one kernel. */
export interface KernelCode {
  readonly vgprs: number;
  readonly sgprs: number;
  /** Registers that stand in memory for want of room. */
  readonly spills: number;
  /** Subgroups that one SIMD holds at once. */
  readonly waves: number;
  /** Bytes of workgroup memory, and of code. */
  readonly lds: number;
  readonly codeBytes: number;
  readonly instructions: number;
  /** The compiler's own estimate of clocks, of one subgroup among as many as there is room for. */
  readonly inverseThroughput: number;
  readonly hotLoop?: HotLoop;
}

/** Of one chip, in the order of the pipelines. */
export interface ChipResults {
  /** As the driver calls it. */
  readonly device: string;
  /** Of Mesa. */
  readonly version: string;
  /** Null is what the chip cannot run. */
  readonly kernels: readonly (KernelCode | null)[];
}

/** A pipeline: its kernel, what it is specialised for, and what it computes. */
export interface KernelName {
  readonly kernel: string;
  readonly values: Readonly<Record<string, number>>;
  readonly labels: readonly string[];
}

export interface IsaKernel extends KernelName {
  readonly code: Partial<Readonly<Record<Chip, KernelCode>>>;
}

/** A part of a file of results: the report shows it beside what was measured. */
export interface IsaResults {
  readonly compiler: string;
  readonly chips: readonly { readonly chip: Chip; readonly device: string }[];
  readonly kernels: readonly IsaKernel[];
  /** What 512 masks of VGG-16 cost, for predictions. */
  readonly ways: readonly Way[];
}

/** A step of a network, and what it costs. */
export interface StepWork {
  readonly name: string;
  readonly work: readonly Work[];
}

/** A network's masked passes by one way to convolve. */
export interface Way {
  readonly name: string;
  readonly precision: Precision;
  readonly steps: readonly StepWork[];
}
