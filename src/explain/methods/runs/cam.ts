import type { Slice } from '../../../gpu/kernel';
import { rowStride } from '../../../kernels/linear/linear';
import { sizeOf } from '../../../model/network';
import { WEIGHT_BYTES, type WeightDtype } from '../../../numbers/dtypes';
import { toF32 } from '../../../numbers/tensor_dtypes';
import { convStep, linearStep } from '../../../plan/compile';
import type { Runner } from '../../../runtime/runner';
import { type Evidence, unmasked } from '../../evidence';
import type { Forward } from '../../forward';
import { questionOf } from '../finer';
import type { RunOptions } from '../method';
import { type Head, poolingHead } from '../pooling-head';

/**
 * CAM (Zhou et al. 2016, Eq. 2): sum_k w_k^c A_k with the weights of the layer behind the pooling, read back
 * from the GPU in the form they have there. No ReLU, as in the paper; biases are the same at every pixel and
 * vanish in the normalisation.
 */
export async function cam(
  { runner, logits, targets }: Forward,
  { choice }: RunOptions,
): Promise<Evidence> {
  const own = targets.map(({ name, maps, constantChannels }) => ({ name, maps, constantChannels }));
  return {
    rule: { relu: 'none', alignCorners: false },
    passes: { forward: 0, backward: 0, head: 0 },
    ofClass: async (index) => {
      const asked = await questionOf(index, logits, choice);
      return Promise.all(
        own.map(async (target) => {
          const head = poolingHead(runner.network, target.name);
          const weights = new Float32Array(target.maps.count);
          for (const [c, factor] of asked) {
            const own = await classWeights(runner, head, c, weights.length);
            for (const [k, w] of own.entries()) weights[k] = (weights[k] as number) + factor * w;
          }
          return { ...unmasked(target), maps: target.maps, alpha: weights, weights };
        }),
      );
    },
  };
}

/** [count] weights of a class: a row of a linear layer, a column of a packed 1x1 convolution, or one-hot. */
async function classWeights(
  runner: Runner,
  head: Head,
  index: number,
  count: number,
): Promise<Float32Array> {
  if (head.kind === 'none') return new Float32Array(count).fill(1, index, index + 1);
  if (head.kind === 'conv') {
    const step = convStep(runner.plan, head.layer);
    const { weights } = runner.weights.conv(step);
    const { dtype } = step.layout;
    const stride = 8 * Math.ceil(head.layer.output.channels / 8);
    const all = await readAs(runner, weights, dtype, 0, count * stride);
    return Float32Array.from({ length: count }, (_, k) => all[k * stride + index] as number);
  }
  const step = linearStep(runner.plan, head.layer);
  const { shards, affine } = runner.weights.linear(step);
  const { dtype } = step.layout;
  const inFeatures = sizeOf(head.layer.input);
  const shard = shards.findLast(({ firstOutput }) => firstOutput <= index);
  if (!shard) throw new Error(`no shard has row ${index}`);
  const stride = rowStride(inFeatures);
  const start = (index - shard.firstOutput) * stride;
  const row = await readAs(runner, shard.weights, dtype, start, stride);
  const [scale] = await runner.gpu.read(affine.buffer, 1, 2 * index);
  return row.subarray(0, inFeatures).map((value) => (scale as number) * value);
}

const FILE_DTYPES = { f32: 'F32', f16: 'F16', int8: 'I8' } as const;

/** Elements of a weight buffer as f32; start and count are multiples of 4. */
async function readAs(
  { gpu }: Runner,
  { buffer }: Slice,
  dtype: WeightDtype,
  start: number,
  count: number,
): Promise<Float32Array> {
  const words = (elements: number): number => (elements * WEIGHT_BYTES[dtype]) / 4;
  const read = await gpu.read(buffer, words(count), words(start));
  return toF32(new Uint8Array(read.buffer), FILE_DTYPES[dtype]);
}
