import type { Gpu } from '../gpu/gpu';
import { rowStride } from '../kernels/linear/linear';
import { linearColumns } from '../kernels/linear/linear_columns';
import { columnScales, encodeColumns } from '../model/encode-columns';
import { scaleName } from '../model/encoding';
import type { KeptModelWriter } from '../model/keep/kept-model';
import { sizeOf } from '../model/network';
import type { WeightBlock } from '../model/weight-block';
import { WEIGHT_BYTES } from '../numbers/dtypes';
import { release } from '../numbers/release';
import { type Arriving, bytesOf } from './arriving';

/*
 * Fully connected weights that arrive input by input, as TensorFlow.js keeps them: the GPU puts each where it belongs,
 * and whoever keeps a copy reads it back, since only there it is in the order to keep. Loaded when the first comes.
 */

/** Puts the columns of a block into the layer's shards. */
export async function scatter(
  gpu: Gpu,
  { step, layer, shards, affine }: Arriving,
  { unflattened, first, count, values, largest }: Extract<WeightBlock, { kind: 'columns' }>,
): Promise<void> {
  const { dtype } = step.layout;
  const scales = largest && columnScales(largest);
  scales?.forEach((scale, o) => {
    affine[2 * o] = scale;
  });
  const { channels, height, width } = unflattened;
  const outFeatures = layer.output.channels;
  const encoded = encodeColumns(values, outFeatures, dtype, scales);
  const elements = elementBits(encoded);
  const staging = gpu.upload(`${layer.weight} inputs from ${first}`, elements);
  for (const array of [encoded, elements]) if (array.buffer !== values.buffer) release(array);
  try {
    await gpu.submit(
      staging.label,
      shards.map(({ firstOutput, outputs, weights }) =>
        linearColumns({
          label: layer.weight,
          dtype,
          firstRow: first,
          rows: count,
          channels,
          plane: height * width,
          outFeatures,
          firstOutput,
          shardOutputs: outputs,
          elements: { buffer: staging },
          weights,
        }),
      ),
    );
  } finally {
    gpu.free(staging);
  }
}

/** Bytes read back at once. */
const READ_BACK = 8 * 1024 * 1024;

/** Reads a scattered layer back, row by row, and its scales. */
export async function keepScattered(
  gpu: Gpu,
  { step, layer, shards, affine }: Arriving,
  keep: KeptModelWriter,
): Promise<void> {
  const { dtype } = step.layout;
  const inFeatures = sizeOf(layer.input);
  const outputs = layer.output.channels;
  const rowBytes = inFeatures * WEIGHT_BYTES[dtype];
  const strideBytes = rowStride(inFeatures) * WEIGHT_BYTES[dtype];
  const rows = Math.max(1, Math.floor(READ_BACK / strideBytes));
  for (const shard of shards) {
    for (let row = 0; row < shard.outputs; row += rows) {
      const count = Math.min(rows, shard.outputs - row);
      const words = (count * strideBytes) / 4;
      const read = await gpu.read(shard.weights.buffer, words, (row * strideBytes) / 4);
      const start = (shard.firstOutput + row) * inFeatures;
      await keep.put({
        tensor: layer.weight,
        shape: [outputs, inFeatures],
        dtype: ({ f32: 'F32', f16: 'F16', int8: 'I8' } as const)[dtype],
        start,
        bytes: unpad(bytesOf(read), count, rowBytes, strideBytes),
      });
    }
  }
  if (dtype !== 'int8') return;
  const scales = Float32Array.from({ length: outputs }, (_, o) => affine[2 * o] as number);
  await keep.put({
    tensor: scaleName(layer.weight),
    shape: [outputs],
    dtype: 'F32',
    start: 0,
    bytes: bytesOf(scales),
  });
}

/** Each element's bits in a u32 of its own. */
function elementBits(data: Parameters<typeof bytesOf>[0]): Uint32Array<ArrayBuffer> {
  if (data instanceof Float32Array)
    return new Uint32Array(data.buffer, data.byteOffset, data.length);
  return Uint32Array.from(data, (value) => value & (data instanceof Int8Array ? 0xff : 0xffff));
}

function unpad(
  bytes: Uint8Array<ArrayBuffer>,
  rows: number,
  rowBytes: number,
  strideBytes: number,
): Uint8Array<ArrayBuffer> {
  if (rowBytes === strideBytes) return bytes;
  const dense = new Uint8Array(rows * rowBytes);
  for (let row = 0; row < rows; row++) {
    dense.set(bytes.subarray(row * strideBytes, row * strideBytes + rowBytes), row * rowBytes);
  }
  return dense;
}
