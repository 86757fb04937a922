import type { Arena } from '../gpu/arena';
import type { Dispatch, Slice } from '../gpu/kernel';
import { turnedBytes, turnFilters } from '../kernels/convolution/turn_filters';
import { activationBackward } from '../kernels/layers/activation_backward';
import { globalAveragePoolBackward } from '../kernels/layers/global_average_pool_backward';
import { maxPoolBackward } from '../kernels/layers/max_pool_backward';
import { softmax } from '../kernels/layers/softmax';
import { softmaxBackward } from '../kernels/layers/softmax_backward';
import { linearBackward } from '../kernels/linear/linear_backward';
import { type ConvLayer, type Layer, type Network, sizeOf } from '../model/network';
import { convStep, linearStep, type Plan } from '../plan/compile';
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

/** What is differentiated: one class's logit, or its softmax probability. */
export interface Score {
  readonly classIndex: number;
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
  protected readonly outputs = new Map<string, Slice>();
  private readonly tape: Tape;
  private start: Slice | undefined;
  private zeros: Slice | undefined;

  constructor(plan: Plan, weights: NetworkWeights, tape: Tape, arena: Arena) {
    this.plan = plan;
    this.network = plan.network;
    this.weights = weights;
    this.tape = tape;
    this.arena = arena;
  }

  /** Uploads the tape, the one-hot gradient of a logit, and the bias of zeros that convolutions take. */
  upload(first: number, { classIndex, of }: Score): void {
    const { arena, tape, network } = this;
    const logits = tape.logits as Float32Array<ArrayBuffer>;
    for (const [name, values] of tape.outputs) {
      this.outputs.set(name, arena.upload(name, values as Float32Array<ArrayBuffer>));
    }
    this.outputs.set((network.layers.at(-1) as Layer).name, arena.upload('logits', logits));
    const oneHot = new Float32Array(logits.length);
    oneHot[classIndex] = 1;
    if (of === 'logit') this.start = arena.upload('gradient of the logit', oneHot);
    const after = network.layers.slice(first + 1).filter((layer) => layer.type === 'conv');
    if (after.length === 0) return;
    const most = Math.max(...after.map((layer) => layer.input.channels));
    this.zeros = arena.upload('no bias', new Float32Array(8 * Math.ceil(most / 8)));
  }

  /** Records the way back to layer `first`; the gradients at the targets on the way stay in the arena. */
  record(first: number, targets: ReadonlySet<string>, score: Score): Map<string, Slice> {
    const found = new Map<string, Slice>();
    const { layers } = this.network;
    // What is a target's gradient is read at the end.
    const release = (slice: Slice): void => {
      if (![...found.values()].includes(slice)) this.arena.release(slice);
    };
    let current = this.begin(score);
    for (let i = layers.length - 1; i > first; i--) {
      const layer = layers[i] as Layer;
      const before = layers[i - 1] as Layer;
      const straight = this.throughActivation(layer, current);
      if (straight !== current) release(current);
      const next = this.arena.take(`gradient of ${before.name}`, 4 * sizeOf(layer.input));
      this.through(layer, before.name, straight, next);
      release(straight);
      if (targets.has(before.name)) found.set(before.name, next);
      current = next;
    }
    if (targets.has((layers.at(-1) as Layer).name)) {
      found.set((layers.at(-1) as Layer).name, current);
    }
    return found;
  }

  /** The gradient of the logits. */
  protected begin({ classIndex }: Score): Slice {
    if (this.start) return this.start;
    const classes = this.network.labels.length;
    const label = 'probability';
    const logits = this.outputs.get((this.network.layers.at(-1) as Layer).name) as Slice;
    const probabilities = this.arena.take('probabilities', 4 * classes);
    const result = this.arena.take('gradient of the logits', 4 * classes);
    this.dispatches.push(
      softmax({ label, logits, probabilities, rows: 1, classes }),
      softmaxBackward({ label, rows: 1, classes, classIndex, probabilities, result }),
    );
    this.arena.release(probabilities);
    return result;
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
