import { ScoreCamError, shown } from '../../../errors';
import { shapeText } from '../elements';
import type { ComputedWeight, Draft, Weight } from './draft';
import type { OnnxAttribute, OnnxNode } from './graph';
import { isFloat, type TensorFiles } from './tensors';
import {
  computed,
  imageView,
  isSameView,
  isStoredOrder,
  type MapValue,
  sizesOf,
  type Value,
  type View,
} from './values';

/** What an operator becomes: a layer or more, or another view of what there is. */
export type Operator = (operation: Operation) => Value | Promise<Value>;

/** Elements of what is computed with: shapes, paddings, limits. */
const MOST_ELEMENTS = 4096;
/** Of anything computed or reshaped. */
export const MOST_AXES = 8;
/** Elements of what a layer adds to its channels or multiplies them by. */
export const MOST_CHANNELS = 65536;

/** Numbers that were computed for all nodes so far. */
export interface Counter {
  count: number;
}

/** 32 MB. A file of few bytes could ask for many. */
const MOST_COMPUTED = 2 ** 22;

/** A node, with what it reads looked up. */
export class Operation {
  readonly operator: string;
  private readonly known = new Set<string>();

  constructor(
    private readonly node: OnnxNode,
    readonly opset: number,
    /** Undefined where an optional one is left out. */
    readonly inputs: readonly (Value | undefined)[],
    private readonly files: TensorFiles,
    private readonly drafts: Draft[],
    private readonly computed: Counter,
  ) {
    this.operator = node.operator;
  }

  /** @throws ScoreCamError `network` naming file, node and operator */
  fail(problem: string): never {
    const { name } = this.node;
    throw new ScoreCamError(
      'network',
      `${this.files.file.name}: node "${name}" (${this.operator}) ${problem}`,
    );
  }

  /** @throws ScoreCamError `network` if all nodes together compute too much */
  spend(count: number): void {
    this.computed.count += count;
    if (this.computed.count > MOST_COMPUTED) {
      this.fail(`is one of those that compute ${MOST_COMPUTED} constants; no more are possible.`);
    }
  }

  /** @throws ScoreCamError `network` if the node has attributes that nobody has asked for */
  checkAttributes(): void {
    for (const name of this.node.attributes.keys()) {
      if (this.known.has(name)) continue;
      this.fail(
        `has the attribute "${name}"; supported are ${[...this.known].join(', ') || 'none'}.`,
      );
    }
  }

  attribute(name: string): OnnxAttribute | undefined {
    this.known.add(name);
    return this.node.attributes.get(name);
  }

  int(name: string, otherwise: number): number {
    return this.attribute(name)?.int ?? otherwise;
  }

  float(name: string, otherwise: number): number {
    return this.attribute(name)?.float ?? otherwise;
  }

  ints(name: string): readonly number[] | undefined {
    return this.attribute(name)?.ints;
  }

  /** An attribute that must be what is usual. */
  only(name: string, usual: number): void {
    const attribute = this.attribute(name);
    const value = attribute?.int ?? attribute?.float ?? usual;
    if (value !== usual) this.fail(`has ${name} ${value}; supported is ${usual}.`);
  }

  has(i: number): boolean {
    return this.inputs[i] !== undefined;
  }

  value(i: number): Value {
    return this.inputs[i] ?? this.fail(`lacks its input ${i}.`);
  }

  /** What a layer gives, without padding to be added. */
  map(i: number): MapValue {
    const value = this.padded(i);
    if (value.padding) {
      this.fail(
        'reads what is padded; Pad is supported before Conv, AveragePool and, behind an activation ' +
          'that is never negative, MaxPool.',
      );
    }
    return value;
  }

  padded(i: number): MapValue {
    const value = this.value(i);
    if (value.kind !== 'map') {
      return this.fail(
        `reads constants as its input ${i}; supported is what depends on the image.`,
      );
    }
    if (value.isEnd) this.fail('comes behind a Softmax; supported is one at the end alone.');
    return value;
  }

  /** As {@link padded}, which must be [1, channels, height, width]. */
  image(i: number): MapValue {
    const value = this.padded(i);
    if (!isSameView(value.view, imageView(value.draft.shape))) {
      this.fail(`reads ${this.viewed(value)}; supported is [1, channels, height, width].`);
    }
    return value;
  }

  /** Small constants as numbers. */
  async constant(i: number): Promise<ComputedWeight> {
    return this.numbers(this.value(i), MOST_ELEMENTS);
  }

  async numbers(value: Value, most: number): Promise<ComputedWeight> {
    if (value.kind === 'computed') return value;
    if (value.kind === 'map') return this.fail('reads as constant what depends on the image.');
    const values = await this.files.numbers(value.tensor, most);
    const shape = sizesOf(value);
    if (!isStoredOrder(value)) {
      this.fail('reads constants that are transposed.');
    }
    return computed(shape, values, !isFloat(value.tensor));
  }

  /** The numbers of a layer, of the shape that it needs. */
  weight(i: number, shape: readonly number[]): Weight {
    const value = this.value(i);
    if (value.kind === 'map') {
      return this.fail(`computes its input ${i} from the image; supported are constants.`);
    }
    const found = sizesOf(value);
    if (found.join() !== shape.join()) {
      this.fail(`reads ${shapeText(found)} as its input ${i}, ${shapeText(shape)} were expected.`);
    }
    return value;
  }

  /** A new layer called after the node. */
  layer(draft: Omit<Draft, 'name'>, view: View = imageView(draft.shape)): MapValue {
    const isNeverNegative = cannotBeNegative(draft);
    const whole: Draft = { name: this.node.name, ...draft, isNeverNegative };
    this.drafts.push(whole);
    return { kind: 'map', draft: whole, view };
  }

  /** For messages: `[1, 7, 7, 512] (channels last)` */
  viewed(value: MapValue): string {
    const names = value.view.map((axes) => axes.join('*') || '1');
    return `[${sizesOf(value).join(', ')}] as [${names.join(', ')}]`;
  }

  /** How a Transpose orders its axes. */
  permutation(rank: number): readonly number[] {
    const order = this.ints('perm') ?? Array.from({ length: rank }, (_, i) => rank - 1 - i);
    const isPermutation =
      new Set(order).size === rank && order.every((axis) => axis >= 0 && axis < rank);
    if (order.length !== rank || !isPermutation)
      this.fail(`has perm ${order.join(', ')} of ${rank} axes.`);
    return order;
  }

  /** An axis that may count from the end. */
  axis(axis: number, rank: number): number {
    const index = axis < 0 ? axis + rank : axis;
    if (Number.isInteger(index) && index >= 0 && index < rank) return index;
    return this.fail(`has the axis ${shown(axis)} of ${rank}.`);
  }
}

function cannotBeNegative({ type, activation, inputs }: Omit<Draft, 'name'>): boolean {
  switch (type) {
    case 'activation':
      return typeof activation === 'object'
        ? 'ceiling' in activation
        : activation !== 'hardswish' && activation !== 'silu';
    case 'image':
    case 'conv':
    case 'scale':
    case 'linear':
      return false;
    default:
      return inputs.every(({ isNeverNegative }) => isNeverNegative);
  }
}
