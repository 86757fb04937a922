import type { DispatchTiming } from '../../src/gpu/profiler';
import { isWeighted, sizeOf, weightShape } from '../../src/model/network';
import { elementCount } from '../../src/model/weight-source';
import type { Plan } from '../../src/plan/compile';
import { secondsOfStep } from '../isa/predict';
import { stepWork } from '../isa/step-work';
import { kernelsOf, sums } from './timer';
import type { Measurement, Peak } from './types';

/**
 * Times by layer from profiles of whole forward passes: all dispatches of a layer added up. Beside them, on a GPU, what
 * is predicted from its measured peak, with everything going through memory.
 */
export function layerResults(
  { network, steps, facts, precision }: Plan,
  profiles: readonly (readonly DispatchTiming[])[],
  peak?: Peak,
): Measurement[] {
  const rates = peak && {
    flops: 1e9 * peak.gflops,
    memory: 1e9 * peak.gbps,
    cache: { bytes: 0, rate: 1 },
    // Each is timed by itself.
    dispatch: 0,
  };
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
      ...(rates && !facts.isFallback
        ? { predicted: 1e3 * secondsOfStep(stepWork(step, 1), rates, precision, 'navi21') }
        : {}),
      ...perKernel,
    };
  });
}
