import { type AnyLinearTiling, anyLinear, anyPartialSums } from '../../bench/ladder/naive';
import type { Gpu } from '../../src/gpu/gpu';
import { shardRows } from '../../src/kernels/linear/linear';
import type { WeightDtype } from '../../src/numbers/dtypes';
import type { GpuCase } from '../harness/case';
import { assertClose, sumTolerance, testValues } from '../harness/compare';
import { quadsNeedSubgroups } from '../harness/quads';
import { linearReference } from '../reference/linear';
import { type EncodedWeights, encodeWeights, halfValue, paddedRows } from '../reference/weights';

const tilings: readonly AnyLinearTiling[] = ['naive', 'registers', 'quads', 'workgroup'];

interface Shape {
  readonly inFeatures: number;
  readonly outFeatures: number;
  readonly batch: number;
  readonly shards: number;
  readonly activation: number;
}

/**
 * Batches and outputs one below, at and above a quarter of, and a whole tile of 64 x 64, and the 4 outputs x 1, 4 or 8
 * images of an invocation; inputs round the K steps of 4, 8 and 32, and of 2, 4, 16 and 98 parts; ReLU, none and a leaky one;
 * fc1's row length.
 */
const shapes: readonly Shape[] = [
  { inFeatures: 1, outFeatures: 1, batch: 1, shards: 1, activation: 0 },
  { inFeatures: 3, outFeatures: 33, batch: 1, shards: 2, activation: 1 },
  { inFeatures: 31, outFeatures: 31, batch: 4, shards: 1, activation: 0.125 },
  { inFeatures: 32, outFeatures: 32, batch: 32, shards: 1, activation: 0 },
  { inFeatures: 33, outFeatures: 65, batch: 31, shards: 3, activation: 1 },
  { inFeatures: 1022, outFeatures: 30, batch: 33, shards: 4, activation: 0 },
  { inFeatures: 12, outFeatures: 64, batch: 65, shards: 1, activation: 0 },
  { inFeatures: 517, outFeatures: 129, batch: 63, shards: 1, activation: 1 },
  { inFeatures: 25088, outFeatures: 7, batch: 1, shards: 1, activation: 1 },
  { inFeatures: 25088, outFeatures: 5, batch: 9, shards: 2, activation: 0.125 },
];

/**
 * f16 and int8 differ from f32 in nothing but how weights are read, so fewer shapes do; and SwiftShader
 * takes a second to compile a kernel with barriers.
 */
const fewer: Record<AnyLinearTiling, readonly number[]> = {
  naive: [1, 2, 5],
  registers: [0, 1, 2, 5, 9],
  quads: [0, 1, 2, 5, 9],
  workgroup: [1, 5],
};

const trials = tilings.flatMap((tiling): (readonly [AnyLinearTiling, WeightDtype, Shape])[] => [
  ...shapes.map((shape) => [tiling, 'f32', shape] as const),
  ...(['f16', 'int8'] as const).flatMap((dtype) =>
    fewer[tiling].map((i) => [tiling, dtype, shapes[i] as Shape] as const),
  ),
]);

interface Layer extends Shape {
  readonly input: Float32Array;
  readonly weights: EncodedWeights;
  readonly bias: Float32Array;
}

/** Runs all shards of a layer: [batch, outFeatures]. */
async function run(gpu: Gpu, tiling: AnyLinearTiling, dtype: WeightDtype, layer: Layer) {
  const { inFeatures, outFeatures, batch, shards, activation, weights, bias } = layer;
  const affine = new Float32Array(2 * outFeatures);
  for (let o = 0; o < outFeatures; o++) {
    affine[2 * o] = weights.scales[o] as number;
    affine[2 * o + 1] = bias[o] as number;
  }
  const inputBuffer = { buffer: gpu.upload('input', layer.input) };
  const affineBuffer = { buffer: gpu.upload('affine', affine) };
  const output = { buffer: gpu.createBuffer('output', 4 * batch * outFeatures) };
  const rowBytes = paddedRows(weights.data, inFeatures, 0, 1).byteLength;
  const rows = shardRows(
    inFeatures,
    outFeatures,
    rowBytes * Math.ceil(outFeatures / shards),
    dtype,
  );
  if (rows.length !== shards) throw new Error(`${rows.length} shards, the case is for ${shards}`);
  await gpu.submit(
    'linear',
    rows.flatMap(({ firstOutput, outputs }, shard) => {
      const sums = anyPartialSums(tiling, { inFeatures, shardOutputs: outputs, batch });
      const data = paddedRows(weights.data, inFeatures, firstOutput, outputs);
      return anyLinear(tiling, {
        label: 'test',
        dtype,
        inFeatures,
        outFeatures,
        firstOutput,
        shardOutputs: outputs,
        activation,
        batch,
        input: inputBuffer,
        weights: { buffer: gpu.upload(`weights ${shard}`, data) },
        affine: affineBuffer,
        output,
        partial: sums > 0 ? { buffer: gpu.createBuffer(`sums ${shard}`, 4 * sums) } : undefined,
      });
    }),
  );
  return gpu.read(output.buffer);
}

function nameOf(tiling: AnyLinearTiling, dtype: WeightDtype, shape: Shape): string {
  const { inFeatures, outFeatures, batch, shards, activation } = shape;
  return (
    `${tiling}, ${dtype}, ${inFeatures} -> ${outFeatures}, batch ${batch}, ` +
    `shards ${shards}, activation ${activation}`
  );
}

function againstReference(tiling: AnyLinearTiling, dtype: WeightDtype, shape: Shape): GpuCase {
  const { inFeatures, outFeatures, batch, activation } = shape;
  return {
    name: nameOf(tiling, dtype, shape),
    async run(gpu) {
      const input = testValues(batch * inFeatures, 3).map((value) => 10 * value);
      const plain = testValues(outFeatures * inFeatures, 4);
      const weights = encodeWeights(plain, outFeatures, dtype);
      const bias = testValues(outFeatures, 5);
      const actual = await run(gpu, tiling, dtype, { ...shape, input, weights, bias });
      const { values, scales } = weights;
      const { output, magnitude } = linearReference(input, values, scales, bias, activation);
      // inFeatures products, the scale and the bias; the activation rounds once more.
      const tolerance = magnitude.map((value) => sumTolerance(inFeatures + 3, value));
      return assertClose('outputs', actual, output, tolerance);
    },
  };
}

/**
 * Read four at a time, the end of an image's inputs comes with the start of the next image's, or again
 * with its own last ones: neither may count. Image 1 has infinite inputs only, image 3 one, the last.
 */
function pastTheEnd(tiling: AnyLinearTiling): GpuCase {
  return {
    name: `${tiling}: infinite inputs stay in their image and do not become NaN`,
    async run(gpu) {
      const [inFeatures, outFeatures, batch] = [5, 3, 6];
      const shape = { inFeatures, outFeatures, batch, shards: 1, activation: 1 };
      const input = testValues(batch * inFeatures, 3);
      input.fill(Number.POSITIVE_INFINITY, inFeatures, 2 * inFeatures);
      input[4 * inFeatures - 1] = Number.POSITIVE_INFINITY;
      const weights = encodeWeights(testValues(outFeatures * inFeatures, 4), outFeatures, 'f32');
      const bias = testValues(outFeatures, 5);
      const actual = await run(gpu, tiling, 'f32', { ...shape, input, weights, bias });
      const reference = linearReference(input, weights.values, weights.scales, bias, 1);
      // On both sides: activations hand on what is not finite as +infinity.
      const found = Array.from(actual.subarray(3 * outFeatures, 4 * outFeatures));
      if (found.some((value) => value !== Infinity)) throw new Error(`image 3: ${found}`);
      const finite = (x: ArrayLike<number>) =>
        [0, 2, 4, 5].flatMap((n) => Array.from(x).slice(n * outFeatures, (n + 1) * outFeatures));
      const tolerance = finite(reference.magnitude).map((m) => sumTolerance(inFeatures + 3, m));
      return assertClose('other images', finite(actual), finite(reference.output), tolerance);
    },
  };
}

/** One input of 1: each output is its weight, bit for bit. */
function everyValue(
  tiling: AnyLinearTiling,
  dtype: WeightDtype,
  data: EncodedWeights['data'],
): GpuCase {
  return {
    name: `${tiling}: every finite ${dtype} comes out exactly`,
    async run(gpu) {
      const outFeatures = data.length;
      const shape = { inFeatures: 1, outFeatures, batch: 1, shards: 1, activation: 1 };
      const values = Float64Array.from(data, (bits) =>
        dtype === 'f16' ? halfValue(bits) : (bits << 24) >> 24,
      );
      const scales = new Float32Array(outFeatures).fill(1);
      const input = Float32Array.of(1);
      const bias = new Float32Array(outFeatures);
      const weights = { data, values, scales };
      return assertClose(
        'outputs',
        await run(gpu, tiling, dtype, { ...shape, input, weights, bias }),
        values,
        0,
      );
    },
  };
}

const halves = Uint16Array.from({ length: 2 * 0x7c00 }, (_, i) =>
  i < 0x7c00 ? i : i - 0x7c00 + 0x8000,
);
const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);

export const cases = quadsNeedSubgroups([
  ...trials.map(([tiling, dtype, shape]) => againstReference(tiling, dtype, shape)),
  ...tilings.map(pastTheEnd),
  everyValue('registers', 'f16', halves),
  everyValue('registers', 'int8', bytes),
  everyValue('quads', 'f16', halves),
  everyValue('quads', 'int8', bytes),
]);
