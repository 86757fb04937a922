import type { Arena } from '../gpu/arena';
import type { Dispatch, Slice } from '../gpu/kernel';
import { maskedConv } from '../kernels/convolution/conv';
import type { View } from '../kernels/graph/view';
import { globalAveragePool } from '../kernels/layers/global_average_pool';
import { largestMagnitude } from '../kernels/layers/largest_magnitude';
import { maxPool } from '../kernels/layers/max_pool';
import { softmax } from '../kernels/layers/softmax';
import { linear, partialSums } from '../kernels/linear/linear';
import type { Places } from '../kernels/shared/places';
import { sizeOf } from '../model/network';
import type { ConvStep, LinearStep, Step } from '../plan/steps';
import type { GraphKit } from './graph-kit';
import type { NetworkWeights } from './network-weights';
import { recordConv, recordMaskedFused } from './record-conv';
import type { Masks } from './skipping';

/** Tensors by name, as steps name what they read and leave. */
export type Tensors = ReadonlyMap<string, Slice>;

/** What replaces some steps' whole outputs: the tiles to compute, and what fills in the rest. */
export interface PartialOutputs {
  /** The tiles that a step computes; undefined if it computes all. */
  active(step: Step): Places | undefined;
  /** What is recorded behind the step, to make up what it leaves out. */
  fill(step: Step, output: Slice): readonly Dispatch[];
}

/** The first convolution's inputs where it masks: one image, and mask m made of map channels[firstMask + m]. */
export interface MaskedInput {
  readonly image: Slice;
  readonly masks: Masks;
  readonly channels: Slice;
  readonly firstMask: number;
}

export interface Recording {
  readonly batch: number;
  readonly arena: Arena;
  /** For steps that compute only a part of their outputs. */
  readonly partial?: PartialOutputs | undefined;
  /** The first step reads the image under masks instead of a tensor. */
  readonly masked?: MaskedInput | undefined;
  /** Of one image: [steps], raised to the largest magnitude of each step's output. */
  readonly magnitudes?: Slice | undefined;
}

/** Where the weights of a network's steps are. */
export type StepWeights = Pick<NetworkWeights, 'plan' | 'conv' | 'linear' | 'isBounded'>;

/** Turns steps of a plan into dispatches, with the weights of one network. */
export class Recorder {
  private readonly weights: StepWeights;

  constructor(weights: StepWeights) {
    this.weights = weights;
  }

  /** What came along with a network that is not sequential. */
  private get graph(): GraphKit {
    return this.weights.plan.options.graph as GraphKit;
  }

  /**
   * Records `steps` one after another. A tensor that no later step reads goes back to the arena, so a chain of layers
   * lives in two buffers.
   * @param given what the steps read and none of them leaves; goes back to the arena like the others
   * @returns the dispatches, and the tensors that are left: the last step's, and those that are kept
   */
  steps(
    steps: readonly Step[],
    given: Tensors,
    { batch, arena, partial, masked, magnitudes }: Recording,
  ): { dispatches: Dispatch[]; tensors: Tensors } {
    const tensors = new Map(given);
    const dispatches: Dispatch[] = [];
    for (const [i, step] of steps.entries()) {
      const { home } = step;
      const tensor = home?.tensor ?? step.name;
      const bytes = home?.bytes ?? step.bytes.output;
      const output = tensors.get(tensor) ?? arena.take(tensor, batch * bytes);
      const places = partial?.active(step);
      if (places?.count !== 0) {
        dispatches.push(
          ...(i === 0 && masked
            ? this.masked(step, batch, masked, output, arena, places)
            : this.step(step, batch, tensors, output, arena, places)),
        );
      }
      if (places && partial) dispatches.push(...partial.fill(step, output));
      if (magnitudes) dispatches.push(magnitudeOf(step, output, magnitudes, i));
      for (const name of step.last) {
        const read = tensors.get(name);
        if (read) arena.release(read);
        tensors.delete(name);
      }
      tensors.set(tensor, output);
    }
    return { dispatches, tensors };
  }

  /** One step without any mask. */
  step(
    step: Step,
    batch: number,
    tensors: Tensors,
    output: Slice,
    arena: Arena,
    places?: Places,
  ): Dispatch[] {
    const input = tensors.get(step.inputs[0] as string) as Slice;
    const { name: label } = step;
    switch (step.kind) {
      case 'conv': {
        const { shape, method, layout } = step;
        const { weights, bias, filters } = this.weights.conv(step);
        const added =
          step.inputs.length > 1 ? inputView(step, 1, tensors, step.output.channels) : undefined;
        const { isBounded } = this.weights;
        const tensorsOf = { weights, bias, filters, input, output, places };
        const ends = { added, view: step.home, isBounded };
        return recordConv(
          { label, shape, method, batch, dtype: layout.dtype, ...tensorsOf, ...ends },
          arena,
        );
      }
      case 'maxpool':
        return [maxPool({ label, ...step.layer.input, batch, input, output })];
      case 'globalavgpool':
        return [globalAveragePool({ label, ...step.layer.input, batch, input, output })];
      case 'linear':
        return this.linear(step, batch, input, output, arena);
      default:
        return this.graph.record(step, { batch, tensors, output, weights: this.weights });
    }
  }

  /** The first convolution with the mask fused in: no masked image ever exists in memory. */
  private masked(
    step: Step,
    batch: number,
    { image, masks, channels, firstMask }: MaskedInput,
    output: Slice,
    arena: Arena,
    places: Places | undefined,
  ): Dispatch[] {
    const { name: label } = step;
    const { weights, bias, filters } = this.weights.conv(step as ConvStep);
    const args = {
      label,
      batch,
      firstMask,
      image,
      maps: masks.maps,
      mapHeight: masks.height,
      mapWidth: masks.width,
      ranges: masks.ranges,
      channels,
      alignCorners: masks.alignCorners,
      weights,
      bias,
      output,
    };
    if (step.kind !== 'conv') return this.graph.masked(step, args, this.weights);
    const { shape, masked, layout } = step;
    if (!masked) throw new Error(`Step "${label}" knows no masks.`);
    const { tiling } = masked;
    const own = { ...args, places, shape, dtype: layout.dtype, isBounded: this.weights.isBounded };
    return typeof tiling === 'string'
      ? [maskedConv(tiling, own)]
      : recordMaskedFused({ ...own, filters, method: tiling }, arena);
  }

  private linear(
    step: LinearStep,
    batch: number,
    input: Slice,
    output: Slice,
    arena: Arena,
  ): Dispatch[] {
    const { layer, tiling, quads, maxInvocations, layout } = step;
    const { shards, affine } = this.weights.linear(step);
    return shards.flatMap(({ firstOutput, outputs, weights }) => {
      const inFeatures = sizeOf(layer.input);
      const sizes = { inFeatures, shardOutputs: outputs, batch, maxInvocations };
      const count = partialSums(tiling, sizes);
      const partial = count > 0 ? arena.take(`${layer.name}, partial sums`, 4 * count) : undefined;
      if (partial) arena.release(partial);
      return linear(tiling, {
        ...sizes,
        label: layer.name,
        dtype: layout.dtype,
        outFeatures: layer.output.channels,
        firstOutput,
        activation: layer.activation,
        input,
        weights,
        affine,
        output,
        quads,
        partial,
      });
    });
  }
}

/** Looks at what a step has written of a tensor. */
function magnitudeOf(
  { name, output, home }: Step,
  values: Slice,
  slots: Slice,
  slot: number,
): Dispatch {
  const first = (home?.first ?? 0) * output.height * output.width;
  return largestMagnitude({
    label: `largest of ${name}`,
    values,
    first,
    count: sizeOf(output),
    slots,
    slot,
  });
}

/** An input as it stands in its tensor, which has `channels` unless the step says otherwise. */
export function inputView(step: Step, i: number, tensors: Tensors, channels: number): View {
  const slice = tensors.get(step.inputs[i] as string) as Slice;
  const { first = 0, of = channels } = step.ranges?.[i] ?? {};
  return { slice, first, of };
}

/** Softmax of each row of [rows, classes] logits. */
export function recordSoftmax(
  logits: Slice,
  probabilities: Slice,
  rows: number,
  classes: number,
): Dispatch {
  return softmax({ label: 'scores', logits, probabilities, rows, classes });
}
