import kept from './budgets.json';
import { nameOf } from './table';
import { CHIPS, type Chip, type IsaResults, type KernelCode } from './types';

/** What a kernel may need, in every tile that VGG-16 is computed by. */
export interface Budget {
  /** Multiply-adds among the instructions ({@link shareOf}), at least; times are predicted by it. */
  readonly share: number;
  /** Vector registers of a lane, at most. */
  readonly vgprs: number;
  /** Subgroups that a SIMD holds, at least. */
  readonly waves: number;
}

/** Of the kernels that time goes into; none of any kernel may spill. */
export interface Budgets {
  /** The compiler that they are of. */
  readonly compiler: string;
  /** By {@link keyOf}. */
  readonly kernels: Readonly<Record<string, Readonly<Partial<Record<Chip, Budget>>>>>;
}

/** Written by `npm run bench -- --isa --keep`. */
export const BUDGETS: Budgets = kept;

/** Chips that have budgets; the oldest is there to be looked at. */
export const BUDGETED: readonly Chip[] = ['navi31', 'navi21'];

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

/** Shares have two digits, rounded down. */
const STEP = 0.01;

/** What the kernels that {@link IsaResults.ways} are made of need now. */
export function budgetsOf({ compiler, kernels, ways }: IsaResults): Budgets {
  const used = new Set(
    ways.flatMap(({ steps }) => steps.flatMap(({ work }) => work.map(({ kernel }) => kernel))),
  );
  const found: Record<string, Partial<Record<Chip, Budget>>> = {};
  for (const { kernel, code } of kernels) {
    const key = keyOf(kernel);
    // Products in f16 are another way to compute what is counted in f32.
    if (!used.has(key.replace(/(_products)?_half$/, ''))) continue;
    for (const chip of BUDGETED) {
      const own = code[chip];
      if (!own) continue;
      const before = found[key]?.[chip] ?? { share: Infinity, vgprs: 0, waves: Infinity };
      const share = Math.floor(shareOf(kernel, own) / STEP) * STEP;
      const budget = {
        share: Number(Math.min(before.share, share).toFixed(2)),
        vgprs: Math.max(before.vgprs, own.vgprs),
        waves: Math.min(before.waves, own.waves),
      };
      found[key] = { ...found[key], [chip]: budget };
    }
  }
  return { compiler, kernels: found };
}

/** Kernels that need more than they may, and budgets that can be tightened, in words. */
export function overBudget(isa: IsaResults, { kernels: budgets } = BUDGETS): string[] {
  const problems = isa.kernels.flatMap((kernel) =>
    Object.entries(kernel.code).flatMap(([chip, code]) => {
      const what = `${nameOf(kernel)}, ${CHIPS[chip as Chip]}`;
      const budget = budgets[keyOf(kernel.kernel)]?.[chip as Chip];
      const share = shareOf(kernel.kernel, code);
      const { share: least = 0, vgprs = Infinity, waves = 0 } = budget ?? {};
      return [
        ...(code.spills > 0 ? [`${what}: ${code.spills} registers spilled`] : []),
        ...(code.vgprs > vgprs ? [`${what}: ${code.vgprs} VGPRs, budget ${vgprs}`] : []),
        ...(code.waves < waves ? [`${what}: ${code.waves} waves, budget ${waves}`] : []),
        ...(share < least ? [`${what}: share ${share.toFixed(3)}, budget ${least}`] : []),
      ];
    }),
  );
  // Times are predicted by budgets, so that they are to be what is needed.
  const loose = Object.entries(budgetsOf(isa).kernels).flatMap(([key, chips]) =>
    Object.entries(chips).flatMap(([chip, { share }]) => {
      const kept = budgets[key]?.[chip as Chip]?.share;
      if (kept === undefined) return [`${key}, ${CHIPS[chip as Chip]}: no budget`];
      if (share < kept + 3 * STEP) return [];
      return [
        `${key}, ${CHIPS[chip as Chip]}: share ${share}, the budget of ${kept} can be raised`,
      ];
    }),
  );
  return [...problems, ...loose];
}
