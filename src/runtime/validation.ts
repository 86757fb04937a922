import { ScoreCamError } from '../errors';
import { Arena } from '../gpu/arena';
import { adapterName } from '../gpu/facts';
import type { Dispatch, Slice } from '../gpu/kernel';
import { convNaive } from '../kernels/convolution/conv_naive';
import { windowConvNaive } from '../kernels/graph/window_conv_naive';
import { globalAveragePool } from '../kernels/layers/global_average_pool';
import { maxPool } from '../kernels/layers/max_pool';
import { linearNaive } from '../kernels/linear/linear_naive';
import { IMAGE, sizeOf } from '../model/network';
import type { Precision } from '../numbers/dtypes';
import { keeping } from '../plan/compile';
import type { GraphStep, Step } from '../plan/steps';
import type { Engine } from './engine';
import { recordGraphStep } from './graph/record';
import { windowShape } from './graph/window-shape';
import { maskedImage } from './masked-image';
import type { NetworkWeights } from './network-weights';
import type { Scores } from './scores';
import type { Masks } from './skipping';

/*
 * Some masked passes once more, as plainly as the formulas are written: the mask is applied in memory, then layer by layer
 * one invocation computes one output, nothing fused, tiled, transformed or skipped. Scores that differ show a GPU or a
 * driver that computes wrong. Loaded when it is asked for.
 */

/** Masks that are run again. */
const CHECKED = 4;

/**
 * How far logits may be apart, as a share of the run's largest. By rounding they are up to 2e-6, and 2e-3 where Winograd's
 * kernels store or multiply f16.
 */
const TOLERANCE: Readonly<Record<Precision, number>> = {
  f32: 1e-4,
  f16: 5e-2,
  'f16-products': 5e-2,
};

/** How far a probability may be from the softmax of its logits: WGSL's exp is exact to 2e-5. */
const SOFTMAX_TOLERANCE = 1e-4;

type StepOf<Kind, Any = Step> = Any extends { readonly kind: infer Own }
  ? Kind extends Own
    ? Any
    : never
  : never;

/** The plain way of one step without pooling behind it: one image, in the order of the step's inputs. */
type Naive<Any> = (
  step: Any,
  inputs: readonly Slice[],
  output: Slice,
  weights: NetworkWeights,
) => readonly Dispatch[];

function plainly(
  step: GraphStep,
  inputs: readonly Slice[],
  output: Slice,
  weights: NetworkWeights,
): readonly Dispatch[] {
  const tensors = new Map(step.inputs.map((name, i) => [name, inputs[i] as Slice]));
  return recordGraphStep(step, { batch: 1, tensors, output, weights });
}

/** By kind of step. */
const NAIVE: { readonly [Kind in Step['kind']]: Naive<StepOf<Kind>> } = {
  conv: (step, [input], output, weights) => {
    const { name: label, shape, layout } = step;
    const { weights: packed, bias } = weights.conv(step);
    const tensors = { input: input as Slice, weights: packed, bias, output };
    return [convNaive({ label, shape, dtype: layout.dtype, batch: 1, ...tensors })];
  },
  maxpool: ({ name: label, layer }, [input], output) => [
    maxPool({ label, ...layer.input, batch: 1, input: input as Slice, output }),
  ],
  globalavgpool: ({ name: label, layer }, [input], output) => [
    globalAveragePool({ label, ...layer.input, batch: 1, input: input as Slice, output }),
  ],
  windowconv: (step, [input], output, weights) => {
    const { name: label, layer, layout, tiling, activation } = step;
    const { weights: packed, bias } = weights.conv(step);
    const isDepthwise = tiling === 'depthwise';
    const tensors = { input: input as Slice, weights: packed, bias, output };
    const shape = windowShape(layer, activation);
    return [
      windowConvNaive({ label, shape, dtype: layout.dtype, batch: 1, isDepthwise, ...tensors }),
    ];
  },
  // One invocation an output, as they always are.
  windowpool: plainly,
  add: plainly,
  multiply: plainly,
  activation: plainly,
  concat: plainly,
  linear: (step, [input], output, weights) => {
    const { name: label, layer, layout } = step;
    const { shards, affine } = weights.linear(step);
    return shards.map(({ firstOutput, outputs, weights: rows }) =>
      linearNaive({
        label,
        dtype: layout.dtype,
        inFeatures: sizeOf(layer.input),
        outFeatures: layer.output.channels,
        firstOutput,
        shardOutputs: outputs,
        activation: layer.activation,
        batch: 1,
        input: input as Slice,
        weights: rows,
        affine,
        output,
      }),
    );
  },
};

/** Compares scores [masks, classes] of a run with those of some of its masks by the plain kernels. */
export type Validation = (
  image: Slice,
  masks: Masks,
  scores: Scores,
  signal: AbortSignal | undefined,
) => Promise<void>;

/**
 * What validates the masked passes of an engine.
 * @throws ScoreCamError the validation itself `kernel`, naming mask, class, both values, how far they may be apart, and the
 * adapter
 */
export function validationOf(engine: Engine): Validation {
  const { gpu, plan } = engine;
  const { layers, labels } = plan.network;
  const names = layers.map(({ name }) => name);
  // Every output kept: no layer is fused into another.
  const { steps } = keeping(plan, names);
  return async (image, masks, { logits, probabilities }, signal) => {
    const total = masks.channels.length;
    const classes = labels.length;
    const size = logits.reduce((most, logit) => Math.max(most, Math.abs(logit)), 0);
    const apart = TOLERANCE[plan.precision] * size;
    for (const mask of spread(total, CHECKED)) {
      const row = (all: Float32Array): Float32Array =>
        all.subarray(mask * classes, (mask + 1) * classes);
      const expect = (
        what: string,
        actual: Float32Array,
        expected: ArrayLike<number>,
        allowed: number,
        because: string,
      ): void => {
        const at = actual.findIndex(
          // What is not finite is within nothing.
          (value, i) => !(Math.abs(value - (expected[i] as number)) <= allowed),
        );
        if (at < 0) return;
        throw new ScoreCamError(
          'kernel',
          `Wrong scores on ${adapterName(gpu.adapter)}: under mask ${mask}, of map ${masks.channels[mask]}, class ${at} ` +
            `(${JSON.stringify(labels[at])}) has the ${what} ${actual[at]}, by plain kernels ${expected[at]}; ` +
            `${allowed.toPrecision(2)} apart are allowed (${because}). Update browser and driver, or use another GPU.`,
        );
      };
      const plain = await plainLogits(engine, steps, image, masks, mask, signal);
      const share = `${TOLERANCE[plan.precision]} of the largest logit`;
      expect('logit', row(logits), plain, apart, share);
      const likely = softmaxOf(row(logits));
      expect('probability', row(probabilities), likely, SOFTMAX_TOLERANCE, 'of its logits');
    }
  };
}

/** At most `count` of 0 .. total - 1, evenly spread; always the same. */
function spread(total: number, count: number): number[] {
  const number = Math.min(total, count);
  return Array.from({ length: number }, (_, i) => Math.floor(((i + 0.5) * total) / number));
}

/** [classes] logits of the image under one mask: a submit a layer, so that none keeps a slow GPU for long. */
async function plainLogits(
  { gpu, plan, weights }: Engine,
  steps: readonly Step[],
  image: Slice,
  masks: Masks,
  mask: number,
  signal: AbortSignal | undefined,
): Promise<Float32Array> {
  const arena = new Arena(gpu);
  try {
    const { output: masked, dispatches } = maskedImage(
      plan.network.input,
      image,
      masks,
      mask,
      arena,
    );
    await gpu.submit('plain masked image', dispatches);
    const tensors = new Map([[IMAGE, masked]]);
    for (const [i, step] of steps.entries()) {
      signal?.throwIfAborted();
      const inputs = step.inputs.map((name) => tensors.get(name) as Slice);
      const output = arena.take(step.name, step.bytes.output);
      const plain = NAIVE[step.kind] as Naive<Step>;
      await gpu.submit(`plain ${step.name}`, plain(step, inputs, output, weights));
      for (const name of new Set(step.inputs)) {
        if (steps.slice(i + 1).some((later) => later.inputs.includes(name))) continue;
        arena.release(tensors.get(name) as Slice);
        tensors.delete(name);
      }
      tensors.set(step.name, output);
    }
    const last = steps.at(-1) as Step;
    const [logits] = await gpu.compute('plain logits', [], [tensors.get(last.name) as Slice]);
    return logits;
  } finally {
    arena.dispose();
  }
}

function softmaxOf(logits: Float32Array): number[] {
  const largest = Math.max(...logits);
  const exps = Array.from(logits, (logit) => Math.exp(logit - largest));
  const total = exps.reduce((sum, value) => sum + value, 0);
  return exps.map((value) => value / total);
}
