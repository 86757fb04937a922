import type { Precision } from '../../src/numbers/dtypes';
import { type Rates, secondsOf } from '../../src/plan/cost';
import { BUDGETS, type Budgets } from './budgets';
import type { Chip, StepWork } from './types';

/*
 * Times predicted for GPUs that were never at hand: work counted (src/plan/conv_cost.ts), at peaks, and at the share of
 * them that a compiler's output leaves. Nothing of this is a measurement.
 */

/** The share of the peak that a kernel's instructions leave on a chip; of a kernel without a budget all of it. */
function budgetedShare(
  kernel: string,
  precision: Precision,
  chip: Chip,
  { kernels }: Budgets,
): number {
  const half = precision !== 'f32' && kernel.startsWith('winograd') ? '_half' : '';
  return kernels[`${kernel}${half}`]?.[chip]?.share ?? 1;
}

/** @param chip whose compiler's shares are taken */
export function secondsOfStep(
  { work }: StepWork,
  rates: Rates,
  precision: Precision,
  chip: Chip,
  budgets = BUDGETS,
): number {
  return work.reduce(
    (sum, own) => sum + secondsOf(own, rates, budgetedShare(own.kernel, precision, chip, budgets)),
    0,
  );
}
