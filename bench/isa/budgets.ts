import { nameOf } from './table';
import { CHIPS, type Chip, type IsaResults, type KernelCode } from './types';

/** The compiler that these figures are of. */
export const COMPILER = 'RADV of Mesa 25.0.7';

/** What a kernel may need, in every tile that VGG-16 is computed by. */
export interface Budget {
  /** Multiply-adds among the instructions ({@link shareOf}), at least; times are predicted by it. */
  readonly share: number;
  /** Vector registers of a lane, at most. */
  readonly vgprs: number;
  /** Subgroups that a SIMD holds, at least. */
  readonly waves: number;
}

type Budgets = Readonly<Record<string, Readonly<Partial<Record<Chip, Budget>>>>>;

/** By {@link keyOf}. No kernel may spill. */
export const BUDGETS: Budgets = {
  conv_workgroup: {
    navi31: { share: 0.67, vgprs: 108, waves: 8 },
    navi21: { share: 0.7, vgprs: 112, waves: 8 },
  },
  linear_workgroup: {
    navi31: { share: 0.48, vgprs: 36, waves: 8 },
    navi21: { share: 0.53, vgprs: 40, waves: 8 },
  },
  masked_conv_workgroup: {
    navi31: { share: 0.75, vgprs: 72, waves: 10 },
    navi21: { share: 0.76, vgprs: 72, waves: 10 },
  },
  winograd_fused: {
    navi31: { share: 0.74, vgprs: 144, waves: 8 },
    navi21: { share: 0.74, vgprs: 128, waves: 8 },
  },
  winograd_fused_half: {
    navi31: { share: 0.72, vgprs: 144, waves: 8 },
    navi21: { share: 0.73, vgprs: 128, waves: 8 },
  },
  winograd_input: {
    navi31: { share: 0.2, vgprs: 48, waves: 32 },
    navi21: { share: 0.22, vgprs: 48, waves: 20 },
  },
  winograd_input_half: {
    navi31: { share: 0.15, vgprs: 48, waves: 32 },
    navi21: { share: 0.17, vgprs: 48, waves: 20 },
  },
  winograd_output: {
    navi31: { share: 0.11, vgprs: 48, waves: 32 },
    navi21: { share: 0.12, vgprs: 48, waves: 20 },
  },
  winograd_output_half: {
    navi31: { share: 0.11, vgprs: 48, waves: 32 },
    navi21: { share: 0.12, vgprs: 48, waves: 20 },
  },
  winograd_product_workgroup: {
    navi31: { share: 0.65, vgprs: 108, waves: 8 },
    navi21: { share: 0.68, vgprs: 112, waves: 8 },
  },
  winograd_product_workgroup_half: {
    navi31: { share: 0.66, vgprs: 108, waves: 8 },
    navi21: { share: 0.7, vgprs: 104, waves: 8 },
  },
};

/** A kernel's name without what is the plain case. */
export const keyOf = (kernel: string): string => kernel.replace(/_f32$/, '');

/** Half the operations of a tile and channel in Winograd's transforms, as their headers count them. */
const TRANSFORMS = { winograd_input: 125, winograd_output: 75 } as const;

/**
 * The share of the peak that a kernel's instructions leave, if each is issued like a multiply-add: in the hot loop; of
 * the transforms, which have none and add more than they multiply, in the whole kernel.
 */
export function shareOf(kernel: string, { hotLoop, instructions }: KernelCode): number {
  const name = keyOf(kernel).replace(/_half$/, '');
  if (name in TRANSFORMS) return TRANSFORMS[name as keyof typeof TRANSFORMS] / instructions;
  return hotLoop?.share ?? 0;
}

/** So much above its budget a share may be: the budget is what times are predicted by. */
const SLACK = 0.03;

/** Kernels that need more than they may, and budgets that are easily kept, in words. */
export function overBudget({ kernels }: Pick<IsaResults, 'kernels'>): string[] {
  const problems: string[] = [];
  const least = new Map<Budget, { share: number; what: string }>();
  for (const kernel of kernels) {
    for (const [chip, code] of Object.entries(kernel.code) as [Chip, KernelCode][]) {
      const what = `${nameOf(kernel)}, ${CHIPS[chip]}`;
      const key = keyOf(kernel.kernel);
      const budget = BUDGETS[key]?.[chip];
      if (code.spills > 0) problems.push(`${what}: ${code.spills} registers spilled`);
      if (!budget) continue;
      const share = shareOf(kernel.kernel, code);
      const { vgprs, waves } = budget;
      if (code.vgprs > vgprs) problems.push(`${what}: ${code.vgprs} VGPRs, budget ${vgprs}`);
      if (code.waves < waves) problems.push(`${what}: ${code.waves} waves, budget ${waves}`);
      if (share < budget.share) {
        problems.push(`${what}: share ${share.toFixed(3)}, budget ${budget.share}`);
      }
      if (share < (least.get(budget)?.share ?? Infinity)) {
        least.set(budget, { share, what: `${key}, ${CHIPS[chip]}` });
      }
    }
  }
  for (const [budget, { share, what }] of least) {
    if (share > budget.share + SLACK) {
      const raised = `the budget of ${budget.share} can be raised`;
      problems.push(`${what}: share ${share.toFixed(3)} at least, ${raised}`);
    }
  }
  return problems;
}
