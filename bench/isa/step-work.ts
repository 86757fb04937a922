import { linearCover, rowStride } from '../../src/kernels/linear/linear';
import { sizeOf } from '../../src/model/network';
import { WEIGHT_BYTES } from '../../src/numbers/dtypes';
import { convWork } from '../../src/plan/conv_cost';
import type { Work } from '../../src/plan/cost';
import type { LinearStep, Step } from '../../src/plan/steps';
import type { StepWork } from './types';

/** Of one step of a sequential network over so many images. */
export function stepWork(step: Step, images: number, isMasked = false): StepWork {
  const { name } = step.layer;
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
  const covers = layout.shards.map(({ outputs }) =>
    linearCover({ inFeatures: inputs, shardOutputs: outputs, batch: images }),
  );
  // Each row of tiles reads all weights.
  const again = weights * (Math.max(...covers.map(({ y }) => y)) - 1);
  const sums = covers.reduce((bytes, { parts }, i) => {
    const count = parts > 1 ? parts * images * (layout.shards[i]?.outputs ?? 0) : 0;
    return bytes + 2 * 4 * count;
  }, 0);
  return {
    kernel: `linear_${tiling}`,
    flop: images * flop,
    traffic: [
      { bytes: weights },
      { bytes: again, held: weights },
      { bytes: images * (4 * inputs + bytes.output), held: images * (4 * inputs + bytes.output) },
      { bytes: sums, held: sums / 2 },
    ],
    dispatches: covers.reduce((count, { parts }) => count + (parts > 1 ? 2 : 1), 0),
  };
}
