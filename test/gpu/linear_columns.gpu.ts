import { rowStride, shardRows } from '../../src/kernels/linear/linear';
import { linearColumns } from '../../src/kernels/linear/linear_columns';
import { WEIGHT_BYTES, type WeightDtype } from '../../src/numbers/dtypes';
import type { GpuCase } from '../harness/case';
import { testValues } from '../harness/compare';
import { type EncodedWeights, encodeWeights, paddedRows } from '../reference/weights';

interface Layer {
  readonly channels: number;
  /** Height x width of the input. */
  readonly plane: number;
  readonly outFeatures: number;
  readonly shards: number;
  /** Inputs that arrive at once; chunks begin and end anywhere. */
  readonly rows: number;
}

const layers: readonly Layer[] = [
  { channels: 1, plane: 1, outFeatures: 1, shards: 1, rows: 1 },
  { channels: 13, plane: 1, outFeatures: 70, shards: 1, rows: 13 },
  { channels: 7, plane: 49, outFeatures: 11, shards: 3, rows: 100 },
  { channels: 3, plane: 6, outFeatures: 5, shards: 2, rows: 5 },
];

/** Rows in CHW order, as a file has them whose kernels are [inputs in HWC order, outputs]. */
function asColumns(data: EncodedWeights['data'], { channels, plane, outFeatures }: Layer) {
  const columns = new Uint32Array(data.length);
  const inFeatures = channels * plane;
  for (let o = 0; o < outFeatures; o++) {
    for (let channel = 0; channel < channels; channel++) {
      for (let place = 0; place < plane; place++) {
        const bits = data[o * inFeatures + channel * plane + place] as number;
        columns[(place * channels + channel) * outFeatures + o] = bits;
      }
    }
  }
  return columns;
}

function scattered(dtype: WeightDtype, layer: Layer): GpuCase {
  const { channels, plane, outFeatures, shards, rows } = layer;
  return {
    name:
      `${dtype}: ${channels} channels of ${plane} to ${outFeatures}, ` +
      `${rows} inputs at once, ${shards} shards`,
    async run(gpu) {
      const inFeatures = channels * plane;
      const plain = testValues(inFeatures * outFeatures, 7);
      const { data } = encodeWeights(plain, outFeatures, dtype);
      const columns = asColumns(data, layer);
      const rowBytes = rowStride(inFeatures) * WEIGHT_BYTES[dtype];
      const most = rowBytes * Math.ceil(outFeatures / shards);
      const parts = shardRows(inFeatures, outFeatures, most, dtype).map((shard) => ({
        ...shard,
        buffer: gpu.createBuffer('weights', shard.outputs * rowBytes),
      }));
      if (parts.length !== shards) throw new Error(`${parts.length} shards, not ${shards}`);
      for (let firstRow = 0; firstRow < inFeatures; firstRow += rows) {
        const count = Math.min(rows, inFeatures - firstRow);
        const start = firstRow * outFeatures;
        const chunk = columns.subarray(start, start + count * outFeatures);
        const elements = { buffer: gpu.upload('elements', chunk) };
        await gpu.submit(
          'columns',
          parts.map(({ firstOutput, outputs, buffer }) =>
            linearColumns({
              label: 'test',
              dtype,
              firstRow,
              rows: count,
              channels,
              plane,
              outFeatures,
              firstOutput,
              shardOutputs: outputs,
              elements,
              weights: { buffer },
            }),
          ),
        );
      }
      for (const { firstOutput, outputs, buffer } of parts) {
        const expected = paddedRows(data, inFeatures, firstOutput, outputs);
        const read = await gpu.read(buffer);
        const actual = new Uint8Array(read.buffer, read.byteOffset, read.byteLength);
        const wanted = new Uint8Array(expected.buffer);
        const wrong = wanted.findIndex((byte, i) => actual[i] !== byte);
        if (wrong >= 0 || actual.length !== wanted.length) {
          throw new Error(
            `shard from ${firstOutput}: ${actual.length} bytes of ${wanted.length}, byte ${wrong} is ` +
              `${actual[wrong]}, expected ${wanted[wrong]}`,
          );
        }
      }
      return undefined;
    },
  };
}

export const cases: GpuCase[] = (['f32', 'f16', 'int8'] as const).flatMap((dtype) =>
  layers.map((layer) => scattered(dtype, layer)),
);
