import type { Arena } from '../gpu/arena';
import type { Dispatch, Slice } from '../gpu/kernel';
import { turnedBytes, turnFilters } from '../kernels/convolution/turn_filters';
import { activationBackward } from '../kernels/layers/activation_backward';
import { globalAveragePoolBackward } from '../kernels/layers/global_average_pool_backward';
import { maxPoolBackward } from '../kernels/layers/max_pool_backward';
import { linearBackward } from '../kernels/linear/linear_backward';
import { type ConvLayer, IMAGE, type Layer, type Network, sizeOf } from '../model/network';
import { convStep, linearStep, type Plan } from '../plan/compile';
import { beforeActivation } from '../plan/steps';
import { activationOf } from './layers-to-keep';
import type { NetworkWeights } from './network-weights';
import { recordConv } from './record-conv';

/** What a forward pass leaves for any number of backward passes; in page memory, not on the GPU. */
export interface Tape {
  /** [classes] */
  readonly logits: Float32Array;
  /** Outputs of the layers that `layersToKeep` lists. */
  readonly outputs: ReadonlyMap<string, Float32Array>;
}

/** What is differentiated: a sum of some classes' logits, or of their softmax probabilities. */
export interface Score {
  /** The classes, each with its factor. */
  readonly question: readonly (readonly [classIndex: number, factor: number])[];
  readonly of: 'logit' | 'probability';
}

/** The dispatches of one backward pass while they are recorded. */
export class BackwardPass {
  readonly dispatches: Dispatch[] = [];
  protected readonly plan: Plan;
  protected readonly network: Network;
  protected readonly weights: NetworkWeights;
  protected readonly arena: Arena;
  /** What the forward pass left, on the GPU. */
  readonly outputs = new Map<string, Slice>();
  protected readonly gradients = new Map<string, Slice>();
  private readonly tape: Tape;
  /** The gradient of the logits. */
  protected start!: Slice;
  private zeros: Slice | undefined;

  constructor(plan: Plan, weights: NetworkWeights, tape: Tape, arena: Arena) {
    this.plan = plan;
    this.network = plan.network;
    this.weights = weights;
    this.tape = tape;
    this.arena = arena;
  }

  /** Uploads the tape, the gradient of the logits, and the bias of zeros that convolutions take. */
  upload(first: number, score: Score): void {
    const { arena, tape, network } = this;
    const logits = tape.logits as Float32Array<ArrayBuffer>;
    for (const [name, values] of tape.outputs) {
      this.outputs.set(name, arena.upload(name, values as Float32Array<ArrayBuffer>));
    }
    this.outputs.set((network.layers.at(-1) as Layer).name, arena.upload('logits', logits));
    this.start = arena.upload('gradient of the logits', logitsGradient(logits, score));
    const after = network.layers.slice(first + 1).filter((layer) => layer.type === 'conv');
    if (after.length === 0) return;
    const most = Math.max(...after.map((layer) => layer.input.channels));
    this.zeros = arena.upload('no bias', new Float32Array(8 * Math.ceil(most / 8)));
  }

  /**
   * Records the way back to layer `first`, or at -1 to the image; the gradients at the targets on the way stay in the
   * arena.
   */
  record(first: number, targets: ReadonlySet<string>): Map<string, Slice> {
    const { layers } = this.network;
    let current = this.found(targets, (layers.at(-1) as Layer).name, this.start);
    for (let i = layers.length - 1; i > first; i--) {
      const layer = layers[i] as Layer;
      const before = layers[i - 1]?.name ?? IMAGE;
      const straight = this.throughActivation(layer, current);
      this.found(targets, beforeActivation(layer.name), straight);
      if (straight !== current) this.release(current);
      const next = this.arena.take(`gradient of ${before}`, 4 * sizeOf(layer.input));
      this.through(layer, before, straight, next);
      this.found(targets, before, next);
      this.release(straight);
      current = next;
    }
    return this.gradients;
  }

  /** Notes the gradient of a tensor if that is a target. */
  protected found(targets: ReadonlySet<string>, name: string, gradient: Slice): Slice {
    if (targets.has(name)) this.gradients.set(name, gradient);
    return gradient;
  }

  /** What is a target's gradient is read at the end. */
  protected release(slice: Slice): void {
    if (![...this.gradients.values()].includes(slice)) this.arena.release(slice);
  }

  /** The gradient before the layer's activation; the same slice where there is none. */
  protected throughActivation(layer: Layer, gradient: Slice): Slice {
    const activation = activationOf(layer);
    if (activation === 1) return gradient;
    const count = sizeOf(layer.output);
    const activated = this.outputs.get(layer.name) as Slice;
    const result = this.arena.take(`gradient before ${layer.name}'s activation`, 4 * count);
    this.dispatches.push(
      activationBackward({ label: layer.name, count, activation, activated, gradient, result }),
    );
    return result;
  }

  protected through(layer: Layer, before: string, gradient: Slice, result: Slice): void {
    const { name: label, input: shape } = layer;
    switch (layer.type) {
      case 'maxpool': {
        const input = this.outputs.get(before) as Slice;
        const sizes = { ...shape, batch: 1 };
        this.dispatches.push(maxPoolBackward({ label, ...sizes, input, gradient, result }));
        return;
      }
      case 'globalavgpool':
        this.dispatches.push(
          globalAveragePoolBackward({ label, ...shape, batch: 1, gradient, result }),
        );
        return;
      case 'linear': {
        const step = linearStep(this.plan, layer);
        const { shards, affine } = this.weights.linear(step);
        const { dtype } = step.layout;
        const sizes = { inFeatures: sizeOf(shape), outFeatures: layer.output.channels, batch: 1 };
        shards.forEach(({ firstOutput, outputs: shardOutputs, weights }, shard) => {
          const part = { firstOutput, shardOutputs, weights, accumulate: shard > 0 };
          const tensors = { gradient, affine, result };
          this.dispatches.push(linearBackward({ label, dtype, ...sizes, ...part, ...tensors }));
        });
        return;
      }
      case 'conv':
        this.throughConv(layer, gradient, result);
    }
  }

  private throughConv(layer: ConvLayer, gradient: Slice, result: Slice): void {
    const { arena } = this;
    const { name: label } = layer;
    const step = convStep(this.plan, layer);
    const { shape, back } = step;
    const { weights } = this.weights.conv(step);
    const { dtype } = step.layout;
    const turned = arena.take(`${label}, turned`, turnedBytes(shape));
    this.dispatches.push(
      turnFilters({ label, shape, dtype, weights, turned }),
      ...recordConv(
        {
          label: `${label}, backward`,
          ...back,
          batch: 1,
          dtype: 'f32',
          weights: turned,
          filters: undefined,
          bias: this.zeros as Slice,
          input: gradient,
          output: result,
        },
        arena,
      ),
    );
    arena.release(turned);
  }
}

/** The gradient of the score with respect to the logits: the factors, or p_j (factor_j - sum_i factor_i p_i). */
function logitsGradient(logits: Float32Array, { question, of }: Score): Float32Array<ArrayBuffer> {
  const factors = new Float32Array(logits.length);
  for (const [c, factor] of question) factors[c] = factor;
  if (of === 'logit') return factors;
  const largest = logits.reduce((a, b) => Math.max(a, b));
  const exps = Float64Array.from(logits, (value) => Math.exp(value - largest));
  const total = exps.reduce((a, b) => a + b);
  const mean = question.reduce((sum, [c, f]) => sum + (f * (exps[c] as number)) / total, 0);
  return factors.map((factor, j) => ((exps[j] as number) / total) * (factor - mean));
}
