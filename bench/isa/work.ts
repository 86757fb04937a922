import type { Network } from '../../src/model/network';
import { maskedPasses, planBatches } from '../../src/plan/batches';
import { type Choices, compile, type Plan } from '../../src/plan/compile';
import type { ConvMethod } from '../../src/plan/conv_choice';
import { CHOSEN } from './predictions';
import { GPU_FACTS, MEMORY_BUDGET } from './recorded';
import { stepWork } from './step-work';
import type { StepWork, Way } from './types';

const always = (method: ConvMethod): Choices => ({ conv: () => method });

/** The ways that docs/gpu-kernels.md compares: each for all convolutions, then what the library chooses. */
const WAYS: readonly (Omit<Way, 'steps'> & { readonly choose?: Choices })[] = [
  { name: 'direct', precision: 'f32', choose: always({ kind: 'direct', tiling: 'workgroup' }) },
  ...(['f32', 'f16'] as const).flatMap((precision) => [
    {
      name: 'F(4x4)',
      precision,
      choose: always({ kind: 'winograd', precision, product: 'workgroup' }),
    },
    { name: 'F(2x2)', precision, choose: always({ kind: 'fused', precision, sides: 1 }) },
    { name: 'F(4x4) in one', precision, choose: always({ kind: 'fused4x4', precision }) },
    { name: CHOSEN, precision },
  ]),
];

/** Masked passes of a network by each way, nothing skipped, in the batches that the library makes by default. */
export function waysOf(network: Network, masks: number): Way[] {
  return WAYS.map(({ name, precision, choose }) => ({
    name,
    precision,
    steps: maskedWork(compile(network, GPU_FACTS, { precision, choose }), masks),
  }));
}

function maskedWork(plan: Plan, masks: number): StepWork[] {
  const { most, block } = planBatches(maskedPasses(plan), masks, MEMORY_BUDGET);
  const times = ({ name, work }: StepWork, count: number): StepWork => ({
    name,
    work: work.map((own) => ({
      ...own,
      flop: count * own.flop,
      dispatches: count * own.dispatches,
      traffic: own.traffic.map((each) => ({ ...each, bytes: count * each.bytes })),
    })),
  });
  return [
    ...plan.features.map((step, i) => times(stepWork(step, most, i === 0), masks / most)),
    ...plan.head.map((step) => times(stepWork(step, block), masks / block)),
  ];
}
