import { rowStride } from '../../src/kernels/linear/linear';
import { sizeOf } from '../../src/model/network';
import { WEIGHT_BYTES } from '../../src/numbers/dtypes';
import { convWork } from '../../src/plan/conv_cost';
import type { Work } from '../../src/plan/cost';
import type { LinearStep, Step } from '../../src/plan/steps';
import type { StepWork } from './types';

/** Images that a tile of linear_workgroup takes: weights are read once for so many. */
const LINEAR_TILE = 32;

/** Of one step of a sequential network over so many images. */
export function stepWork(step: Step, images: number, isMasked = false): StepWork {
  const { name } = step;
  if (step.kind === 'linear') return { name, work: [linearWork(step, images)] };
  if (step.kind === 'conv' && !isMasked)
    return { name, work: convWork(step.shape, step.method, images) };
  if (step.kind === 'conv') {
    const [{ flop, dispatches } = { flop: 0, dispatches: 1 }] = convWork(
      step.shape,
      { kind: 'direct', tiling: 'workgroup' },
      images,
    );
    // One image and small maps are all that it reads.
    const bytes = images * step.bytes.output + step.bytes.weights;
    const traffic = [{ bytes, held: images * step.bytes.output }];
    return { name, work: [{ kernel: 'masked_conv_workgroup', flop, traffic, dispatches }] };
  }
  const bytes = images * (4 * sizeOf(step.layer.input) + step.bytes.output);
  const traffic = [{ bytes, held: bytes }];
  return { name, work: [{ kernel: step.kind, flop: images * step.flop, traffic, dispatches: 1 }] };
}

function linearWork({ layer, layout, flop, bytes, tiling }: LinearStep, images: number): Work {
  const inputs = sizeOf(layer.input);
  const weights = WEIGHT_BYTES[layout.dtype] * layer.output.channels * rowStride(inputs);
  const again = weights * (Math.ceil(images / LINEAR_TILE) - 1);
  return {
    kernel: `linear_${tiling}`,
    flop: images * flop,
    traffic: [
      { bytes: weights },
      { bytes: again, held: weights },
      { bytes: images * (4 * inputs + bytes.output), held: images * (4 * inputs + bytes.output) },
    ],
    dispatches: layout.shards.length,
  };
}
