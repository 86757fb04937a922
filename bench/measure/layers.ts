import type { DispatchTiming } from '../../src/gpu/profiler';
import { isWeighted, sizeOf, weightShape } from '../../src/model/network';
import { elementCount } from '../../src/model/weight-source';
import type { Plan } from '../../src/plan/compile';
import { kernelsOf, sums } from './timer';
import type { Measurement } from './types';

/** Times by layer from profiles of whole forward passes: all dispatches of a layer added up. */
export function layerResults(
  { network, steps }: Plan,
  profiles: readonly (readonly DispatchTiming[])[],
): Measurement[] {
  return steps.map((step): Measurement => {
    const own = profiles.map((profile) => profile.filter(({ label }) => label === step.name));
    const { layer } = step;
    const perKernel = kernelsOf(own.map((run) => sums(run, ({ kernel, ms }) => [kernel, ms])));
    const asDirect = own[0]?.some(({ kernel }) => kernel.startsWith('winograd')) ?? false;
    const weights = isWeighted(layer) ? elementCount(weightShape(layer)) : 0;
    const pool = step.kind === 'conv' && step.shape.pool;
    return {
      section: 'layers',
      group: network.name,
      name: pool ? `${layer.name} + ${step.name}` : layer.name,
      clock: 'timestamps',
      runs: own.map((run) => run.reduce((sum, { ms }) => sum + ms, 0)),
      flop: step.flop,
      ...(asDirect ? { asDirect } : {}),
      bytes: 4 * (sizeOf(layer.input) + weights + step.bytes.output / 4),
      ...perKernel,
    };
  });
}
