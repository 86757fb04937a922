import { type LinearTiling, linear, shardRows } from '../../src/kernels/linear';
import type { GpuCase } from '../harness/case';
import { assertClose, sumTolerance, testValues } from '../harness/compare';
import { linearReference } from '../reference/linear';

const tilings: readonly LinearTiling[] = ['naive', 'registers', 'workgroup'];

interface Shape {
  readonly inFeatures: number;
  readonly outFeatures: number;
  readonly batch: number;
  readonly shards: number;
  readonly slope: number;
}

/**
 * Batches and outputs one below, at and above the 32 x 32 tile and the 4 outputs x 1, 4 or 8 images of
 * an invocation; inputs round the K step of 32; ReLU, none and a leaky one; fc1's row length.
 */
const shapes: readonly Shape[] = [
  { inFeatures: 1, outFeatures: 1, batch: 1, shards: 1, slope: 0 },
  { inFeatures: 3, outFeatures: 33, batch: 1, shards: 2, slope: 1 },
  { inFeatures: 31, outFeatures: 31, batch: 4, shards: 1, slope: 0.125 },
  { inFeatures: 32, outFeatures: 32, batch: 32, shards: 1, slope: 0 },
  { inFeatures: 33, outFeatures: 65, batch: 31, shards: 3, slope: 1 },
  { inFeatures: 1023, outFeatures: 30, batch: 33, shards: 4, slope: 0 },
  { inFeatures: 25088, outFeatures: 7, batch: 1, shards: 1, slope: 1 },
  { inFeatures: 25088, outFeatures: 5, batch: 9, shards: 2, slope: 0.125 },
];

export const cases: GpuCase[] = shapes.flatMap((shape) =>
  tilings.map((tiling) => linearCase(tiling, shape)),
);

function linearCase(tiling: LinearTiling, shape: Shape): GpuCase {
  const { inFeatures, outFeatures, batch, shards, slope } = shape;
  return {
    name:
      `${tiling}, ${inFeatures} -> ${outFeatures}, batch ${batch}, ` +
      `shards ${shards}, slope ${slope}`,
    async run(gpu) {
      const input = testValues(batch * inFeatures, 3).map((value) => 10 * value);
      const weights = testValues(outFeatures * inFeatures, 4);
      const bias = testValues(outFeatures, 5);
      const inputBuffer = { buffer: gpu.upload('input', input) };
      const biasBuffer = { buffer: gpu.upload('bias', bias) };
      const output = gpu.createBuffer('output', 4 * batch * outFeatures);
      const bindingLimit = 4 * inFeatures * Math.ceil(outFeatures / shards);
      const rows = shardRows(inFeatures, outFeatures, bindingLimit);
      await gpu.submit(
        'linear',
        rows.map(({ firstOutput, outputs }, shard) =>
          linear(tiling, {
            label: 'test',
            inFeatures,
            outFeatures,
            firstOutput,
            shardOutputs: outputs,
            slope,
            batch,
            input: inputBuffer,
            weights: {
              buffer: gpu.upload(
                `weights ${shard}`,
                weights.subarray(firstOutput * inFeatures, (firstOutput + outputs) * inFeatures),
              ),
            },
            bias: biasBuffer,
            output: { buffer: output },
          }),
        ),
      );
      const { output: expected, magnitude } = linearReference(input, weights, bias, slope);
      // inFeatures products and the bias; the slope rounds once more.
      const tolerance = magnitude.map((value) => sumTolerance(inFeatures + 2, value));
      return assertClose('outputs', await gpu.read(output), expected, tolerance);
    },
  };
}
