import type { GraphActivation } from '../../graph/manifest';
import { elementCount } from '../../weight-source';
import { shapeText } from '../elements';
import type { ComputedWeight, StoredWeight } from './draft';
import { MOST_CHANNELS, type Operation, type Operator } from './operation';
import {
  type Axis,
  axes,
  computed,
  isSameView,
  type MapValue,
  sizesOf,
  type Value,
  type View,
} from './values';

/*
 * Operators that become layers of their own at first; what can be part of another is joined with it later (joining.ts).
 */

export const LAYER_OPERATORS: Readonly<Record<string, Operator>> = {
  Relu: (operation) => activated(operation, 'relu'),
  Sigmoid: (operation) => activated(operation, 'sigmoid'),
  HardSwish: (operation) => activated(operation, 'hardswish'),
  LeakyRelu(operation) {
    const leakyRelu = operation.float('alpha', 0.01);
    if (!(leakyRelu >= 0 && leakyRelu <= 1)) {
      operation.fail(`has alpha ${leakyRelu}; supported is 0 to 1.`);
    }
    return activated(operation, { leakyRelu });
  },
  HardSigmoid(operation) {
    const alpha = operation.float('alpha', 0.2);
    const beta = operation.float('beta', 0.5);
    if (!isNearly(alpha, 1 / 6) || !isNearly(beta, 0.5)) {
      operation.fail(`has alpha ${alpha} and beta ${beta}; supported are 1/6 and 0.5.`);
    }
    return activated(operation, 'hardsigmoid');
  },
  async Clip(operation) {
    const limit = async (name: string, i: number, open: number): Promise<number> =>
      operation.has(i)
        ? ((await operation.constant(i)).values[0] ?? open)
        : operation.float(name, open);
    const least = await limit('min', 1, -OPEN);
    const most = await limit('max', 2, OPEN);
    if (least <= -OPEN && most >= OPEN) return operation.map(0);
    if (least !== 0 || !(most > 0)) {
      operation.fail(`clips to ${least} ... ${most}; supported is 0 to something above it.`);
    }
    if (most === 6) return activated(operation, 'relu6');
    return activated(operation, most < 1e4 ? { ceiling: most } : 'relu');
  },
  Add: (operation) => combined(operation, 'add'),
  Mul: (operation) => combined(operation, 'multiply'),
  Sub: (operation) => combined(operation, 'add', (value) => -value),
  Div: (operation) => combined(operation, 'multiply', (value) => 1 / value),
  BatchNormalization(operation) {
    const value = operation.map(0);
    const { draft, view } = value;
    const { channels } = draft.shape;
    operation.only('spatial', 1);
    operation.only('training_mode', 0);
    for (const name of ['momentum', 'is_test']) operation.attribute(name);
    const epsilon = operation.float('epsilon', 1e-5);
    if (!(epsilon >= 0 && epsilon < 1)) operation.fail(`has epsilon ${epsilon}.`);
    if (view.length < 2 || view[1]?.join() !== axes(draft.shape, 'channels').join()) {
      operation.fail(
        `normalises ${operation.viewed(value)}; supported are channels as the second axis.`,
      );
    }
    const [scale, shift, mean, variance] = [1, 2, 3, 4].map((i) => operation.weight(i, [channels]));
    if (!scale || !shift || !mean || !variance) return operation.fail('lacks an input.');
    const batchNorm = { scale, shift, mean, variance, epsilon };
    return operation.layer({ type: 'scale', inputs: [draft], shape: draft.shape, batchNorm }, view);
  },
  Concat(operation) {
    const values = operation.inputs.map((_, i) => operation.map(i));
    const [first] = values;
    if (!first) return operation.fail('lacks inputs.');
    const { height, width } = first.draft.shape;
    const axis = operation.axis(operation.int('axis', 1), first.view.length);
    const rest = (view: View): View => view.filter((_, i) => i !== axis);
    for (const value of values) {
      const { shape } = value.draft;
      const fits =
        shape.height === height &&
        shape.width === width &&
        isSameView(rest(value.view), rest(first.view)) &&
        value.view[axis]?.join() === axes(shape, 'channels').join();
      if (!fits) {
        operation.fail(
          `concatenates ${operation.viewed(value)} to ${operation.viewed(first)} on axis ${axis}; supported are channels ` +
            'of one height and width.',
        );
      }
    }
    if (values.length === 1) return first;
    const channels = values.reduce((sum, { draft }) => sum + draft.shape.channels, 0);
    const shape = { channels, height, width };
    const view = first.view.map((names, i) => (i === axis ? axes(shape, 'channels') : names));
    return operation.layer(
      { type: 'concat', inputs: values.map(({ draft }) => draft), shape },
      view,
    );
  },
  async Gemm(operation) {
    operation.only('transA', 0);
    operation.only('alpha', 1);
    operation.only('beta', 1);
    operation.only('broadcast', 1);
    const isTurned = operation.int('transB', 0) === 1;
    const value = product(operation, isTurned ? [1, 0] : [0, 1]);
    if (!operation.has(2)) return value;
    const { draft } = value;
    const outputs = draft.shape.channels;
    const bias = operation.value(2);
    const isPlain = bias.kind !== 'map' && sizesOf(bias).join() === `${outputs}`;
    draft.bias = isPlain
      ? operation.weight(2, [outputs])
      : await byChannel(operation, value, bias, (number) => number);
    return value;
  },
  MatMul: (operation) => product(operation, [0, 1]),
  Softmax(operation) {
    const value = operation.map(0);
    const rank = value.view.length;
    const axis = operation.axis(operation.int('axis', operation.opset < 13 ? 1 : -1), rank);
    const over = operation.opset < 13 ? value.view.slice(axis).flat() : value.view[axis];
    if (over?.join() !== value.view.flat().join()) {
      operation.fail(
        `is over axis ${axis} of ${operation.viewed(value)}; supported is one over all classes.`,
      );
    }
    return { ...value, isEnd: true };
  },
};

/** A limit beyond which none is meant: exporters write the largest f32. */
const OPEN = 3e38;

function isNearly(value: number, meant: number): boolean {
  return Math.abs(value - meant) < 1e-6;
}

function activated(operation: Operation, activation: GraphActivation): Value {
  const { draft, view } = operation.map(0);
  return operation.layer(
    { type: 'activation', inputs: [draft], shape: draft.shape, activation },
    view,
  );
}

/** Two tensors, or one and constants. Subtracting and dividing is adding and multiplying by something else, `turn`. */
async function combined(
  operation: Operation,
  type: 'add' | 'multiply',
  turn?: (value: number) => number,
): Promise<Value> {
  const [one, other] = [operation.value(0), operation.value(1)];
  if (one.kind === 'map' && other.kind === 'map') {
    if (turn) operation.fail('takes two tensors; supported is a constant as the second.');
    return joined(operation, type, operation.map(0), operation.map(1));
  }
  const [map, constant] = one.kind === 'map' ? [operation.map(0), other] : [operation.map(1), one];
  if (turn && constant === one)
    operation.fail('has a constant first; supported is one as the second.');
  const values = await byChannel(operation, map, constant, turn ?? ((value) => value));
  const { draft, view } = map;
  const base = { type: 'scale', inputs: [draft], shape: draft.shape } as const;
  return operation.layer(
    type === 'add' ? { ...base, bias: values } : { ...base, weight: values },
    padView(view, sizesOf(constant).length),
  );
}

/** With axes of size 1 before, as where something of more axes is added. */
function padView(view: View, rank: number): View {
  return [
    ...Array.from({ length: Math.max(0, rank - view.length) }, (): readonly Axis[] => []),
    ...view,
  ];
}

/** Constants [channels] that are broadcast to a tensor. */
async function byChannel(
  operation: Operation,
  { draft, view }: MapValue,
  value: Value,
  turn: (value: number) => number,
): Promise<ComputedWeight> {
  const { shape, values } = await operation.numbers(value, MOST_CHANNELS);
  const { channels } = draft.shape;
  const from = shape.length - view.length;
  const isChannels = (axis: number): boolean =>
    view[axis - from]?.join() === 'channels' && shape[axis] === channels;
  const fits = shape.every((size, axis) => size === 1 || isChannels(axis));
  if (!fits || values.length === 0 || channels > MOST_CHANNELS) {
    operation.fail(
      `takes constants ${shapeText(shape)} over ${sizesOf({ kind: 'map', draft, view }).join('x')}; supported is one ` +
        'number, or one a channel.',
    );
  }
  operation.spend(channels);
  const all = Array.from({ length: channels }, (_, i) =>
    turn(values[values.length === 1 ? 0 : i] as number),
  );
  return computed([channels], all, false);
}

/** Two tensors of one shape, or one and a factor for each channel of it. */
function joined(
  operation: Operation,
  type: 'add' | 'multiply',
  one: MapValue,
  other: MapValue,
): Value {
  const rank = Math.max(one.view.length, other.view.length);
  const [view, otherView] = [padView(one.view, rank), padView(other.view, rank)];
  const gates = (gate: MapValue, gateView: View, of: MapValue, ofView: View): boolean => {
    const { channels, height, width } = gate.draft.shape;
    return (
      type === 'multiply' &&
      height * width === 1 &&
      channels === of.draft.shape.channels &&
      gateView.every((names, i) => names.length === 0 || names.join() === ofView[i]?.join())
    );
  };
  const layer = (first: MapValue, second: MapValue, firstView: View): Value =>
    operation.layer(
      { type, inputs: [first.draft, second.draft], shape: first.draft.shape },
      firstView,
    );
  const isSame =
    isSameView(view, otherView) &&
    shapeText(sizesOf(one)) === shapeText(sizesOf(other)) &&
    one.draft.shape.channels === other.draft.shape.channels &&
    one.draft.shape.height === other.draft.shape.height;
  if (isSame || gates(other, otherView, one, view)) return layer(one, other, view);
  if (gates(one, view, other, otherView)) return layer(other, one, otherView);
  return operation.fail(
    `takes ${operation.viewed(one)} and ${operation.viewed(other)}; supported are two of one shape` +
      `${type === 'multiply' ? ', or one and a factor for each channel of it' : ''}.`,
  );
}

/** [1, inputs] times a matrix; `order` has the axes of its inputs and of its outputs. */
function product(operation: Operation, [inputAxis, outputAxis]: readonly [0 | 1, 0 | 1]): MapValue {
  const value = operation.map(0);
  const { draft, view } = value;
  const matrix = operation.value(1);
  if (matrix.kind !== 'stored') {
    return operation.fail('multiplies by what is computed; supported are constant matrices.');
  }
  const sizes = sizesOf(matrix);
  const inputs = sizes[inputAxis] ?? 0;
  const outputs = sizes[outputAxis] ?? 0;
  const names = view.at(-1) ?? [];
  const { shape } = draft;
  const parts = names.map((name) => shape[name]);
  const isRow = view.length >= 2 && view.slice(0, -1).every((others) => others.length === 0);
  if (sizes.length !== 2 || outputs < 1 || !isRow || elementCount(parts) !== inputs) {
    return operation.fail(
      `multiplies ${operation.viewed(value)} by a matrix ${sizes.join('x')}; supported is one row of features by as many.`,
    );
  }
  const result = { channels: outputs, height: 1, width: 1 };
  const weight = inOrder(operation, matrix, [inputAxis, outputAxis], names, parts);
  return operation.layer(
    { type: 'linear', inputs: [draft], shape: result, weight },
    view.map((_, i) => (i === view.length - 1 ? axes(result, 'channels') : [])),
  );
}

/** The matrix as [outputs, inputs], its inputs in the order of a layer's channels, rows and columns. */
function inOrder(
  operation: Operation,
  matrix: StoredWeight,
  [inputAxis, outputAxis]: readonly [0 | 1, 0 | 1],
  names: readonly Axis[],
  parts: readonly number[],
): StoredWeight {
  const wanted: readonly Axis[] = ['channels', 'height', 'width'];
  const isOrdered = names.every(
    (name, i) => i === 0 || wanted.indexOf(name) > wanted.indexOf(names[i - 1] as Axis),
  );
  const { order } = matrix;
  const [input, output] = [order[inputAxis] ?? [], order[outputAxis] ?? []];
  if (isOrdered) return { ...matrix, order: [output, input] };
  const [whole] = input;
  if (whole === undefined || input.length !== 1) {
    return operation.fail(
      'multiplies by a matrix that was reshaped before; supported is one as it is stored.',
    );
  }
  // The one stored axis of inputs becomes several, and those behind it move on.
  const more = parts.length - 1;
  const moved = (part: number): number => (part > whole ? part + more : part);
  const sorted = [...names].sort((a, b) => wanted.indexOf(a) - wanted.indexOf(b));
  return {
    ...matrix,
    axes: matrix.axes.flatMap((size, part) => (part === whole ? parts : [size])),
    order: [output.map(moved), sorted.map((name) => whole + names.indexOf(name))],
  };
}
