import type { Shape } from '../../network';
import { type DraftWindow, LARGEST_KERNEL, type Sides } from './draft';
import type { Operation, Operator } from './operation';
import { axes, imageView, type MapValue, sizesOf, type Value } from './values';

/*
 * Operators that look through windows, and those that are pooling over everything.
 */

/** As docs/model-format.md has it. */
const LIMITS = {
  conv: { kernel: LARGEST_KERNEL, stride: 4 },
  pool: { kernel: 4096, stride: 4096 },
} as const;
const MOST_PADDING = LARGEST_KERNEL;

type Pair = readonly [down: number, across: number];

const NONE: Sides = [0, 0, 0, 0];

export const WINDOW_OPERATORS: Readonly<Record<string, Operator>> = {
  Conv(operation) {
    const value = operation.image(0);
    const { draft } = value;
    const groups = operation.int('group', 1);
    const weight = sizesOf(operation.value(1));
    const [outputs = 0, inputs = 0, ...kernel] = weight;
    const window = windowOf(operation, value, 'conv', kernel);
    if (
      kernel.join() !== window.kernel.join() ||
      inputs * groups !== draft.shape.channels ||
      outputs % groups !== 0
    ) {
      operation.fail(
        `has weights ${weight.join('x')} in ${groups} groups over ${draft.shape.channels} channels and windows of ` +
          `${window.kernel.join('x')}.`,
      );
    }
    const size = windowsOn(value, window, false);
    return operation.layer({
      type: 'conv',
      inputs: [draft],
      shape: shapeOf(operation, outputs, size),
      window: withPadding(operation, value, window),
      groups,
      weight: operation.weight(1, weight),
      bias: operation.has(2) ? operation.weight(2, [outputs]) : undefined,
    });
  },
  MaxPool(operation) {
    operation.only('storage_order', 0);
    const value = operation.image(0);
    if (value.padding && !value.draft.isNeverNegative) {
      operation.fail(
        'reads what Pad has padded with zeros, which could be maxima; supported is Pad behind an activation that ' +
          'is never negative.',
      );
    }
    return pool(operation, value, 'maxpool', false);
  },
  AveragePool(operation) {
    const countsOwn = operation.int('count_include_pad', 0) === 1;
    return pool(operation, operation.image(0), 'avgpool', countsOwn);
  },
  GlobalAveragePool: (operation) => globalAverage(operation, operation.map(0)),
  GlobalMaxPool(operation) {
    const value = operation.image(0);
    const { height, width } = value.draft.shape;
    const all: Pair = [height, width];
    return addPool(operation, operation.map(0), 'maxpool', {
      kernel: all,
      stride: all,
      padding: NONE,
    });
  },
  async ReduceMean(operation) {
    const value = operation.map(0);
    const { shape } = value.draft;
    const sizes = sizesOf(value);
    const keeps = operation.int('keepdims', 1) === 1;
    operation.only('noop_with_empty_axes', 0);
    const asked =
      operation.ints('axes') ?? (operation.has(1) ? (await operation.constant(1)).values : []);
    if (asked.length === 0) operation.fail('names no axes; supported are height and width.');
    const over = new Set(asked.map((axis) => operation.axis(axis, sizes.length)));
    const averaged = value.view.flatMap((names, i) => (over.has(i) ? names : []));
    if (averaged.sort().join() !== axes(shape, 'height', 'width').join()) {
      operation.fail(
        `averages over ${averaged.join(' and ') || 'nothing'}; supported is over height and width together.`,
      );
    }
    const view = value.view.flatMap((names, i) => (over.has(i) ? (keeps ? [[]] : []) : [names]));
    if (averaged.length === 0) return { ...value, view };
    return { ...average(operation, value), view };
  },
  async Pad(operation) {
    const value = operation.map(0);
    const mode = operation.attribute('mode')?.text || 'constant';
    const fill = operation.has(2)
      ? ((await operation.constant(2)).values[0] ?? 0)
      : operation.float('value', 0);
    if (mode !== 'constant' || fill !== 0) {
      operation.fail(`pads with ${mode === 'constant' ? fill : mode}; supported are zeros.`);
    }
    const pads = operation.ints('pads') ?? (await operation.constant(1)).values;
    const rank = value.view.length;
    const listed = operation.has(3)
      ? (await operation.constant(3)).values.map((axis) => operation.axis(axis, rank))
      : value.view.map((_, i) => i);
    if (pads.length !== 2 * listed.length || !pads.every((rows) => rows >= 0)) {
      operation.fail(`has pads ${pads.join(', ')} of ${listed.length} axes.`);
    }
    if (pads.every((rows) => rows === 0)) return value;
    const sides = { height: [0, 0], width: [0, 0] };
    for (const [i, axis] of listed.entries()) {
      const rows = [pads[i] as number, pads[i + listed.length] as number];
      const [name, second] = value.view[axis] as readonly (keyof Shape)[];
      if (!second && (name === 'height' || name === 'width')) sides[name] = rows;
      else if (rows.some((count) => count > 0)) {
        operation.fail(
          `pads the axis ${axis} of ${operation.viewed(value)}; supported are height and width.`,
        );
      }
    }
    const [top = 0, bottom = 0] = sides.height;
    const [left = 0, right = 0] = sides.width;
    return { ...value, padding: [top, left, bottom, right] };
  },
};

/** Window, stride and padding of its own, which may be computed from what it reads. */
function windowOf(
  operation: Operation,
  value: MapValue,
  kind: keyof typeof LIMITS,
  usual: readonly number[],
): DraftWindow {
  const limits = LIMITS[kind];
  const list = (
    name: string,
    otherwise: readonly number[],
    count: number,
    least: number,
    most: number,
  ) => {
    const found = operation.ints(name) ?? otherwise;
    if (found.length === count && found.every((n) => n >= least && n <= most)) return found;
    return operation.fail(
      `has ${name} ${found.join(', ')}; supported are ${count} numbers from ${least} to ${most}.`,
    );
  };
  const kernel = list('kernel_shape', usual, 2, 1, limits.kernel) as Pair;
  const stride = list('strides', [1, 1], 2, 1, limits.stride) as Pair;
  list('dilations', [1, 1], 2, 1, 1);
  const pads = list('pads', NONE, 4, 0, MOST_PADDING) as Sides;
  const mode = operation.attribute('auto_pad')?.text || 'NOTSET';
  if (mode === 'NOTSET') return { kernel, stride, padding: pads };
  if (mode !== 'VALID' && mode !== 'SAME_UPPER' && mode !== 'SAME_LOWER') {
    operation.fail(
      `has auto_pad "${mode}"; supported are NOTSET, VALID, SAME_UPPER and SAME_LOWER.`,
    );
  }
  if (mode === 'VALID') return { kernel, stride, padding: NONE };
  // As many windows as the stride fits into the input; of an odd row too many, the first or the last is padding.
  const sides = sizesOf(value)
    .slice(2)
    .map((size, axis) => {
      const step = stride[axis] as number;
      const missing = Math.max(
        0,
        (Math.ceil(size / step) - 1) * step + (kernel[axis] as number) - size,
      );
      const less = Math.floor(missing / 2);
      return mode === 'SAME_UPPER' ? [less, missing - less] : [missing - less, less];
    }) as unknown as [Pair, Pair];
  const [[top, bottom], [left, right]] = sides;
  return { kernel, stride, padding: [top, left, bottom, right] };
}

/** Windows each way, on what is padded already. */
function windowsOn(value: MapValue, { kernel, stride, padding }: DraftWindow, ceil: boolean): Pair {
  return sizesOf(value)
    .slice(2)
    .map((size, axis) => {
      const before = padding[axis as 0 | 1];
      const behind = padding[(axis + 2) as 2 | 3];
      const step = stride[axis] as number;
      const steps = (size + before + behind - (kernel[axis] as number)) / step;
      if (!ceil) return Math.floor(steps) + 1;
      // A last window must not begin behind the input (as PyTorch and, since opset 22, ONNX have it).
      const windows = Math.ceil(steps) + 1;
      return (windows - 1) * step >= size + before ? windows - 1 : windows;
    }) as unknown as Pair;
}

function shapeOf(operation: Operation, channels: number, [height, width]: Pair): Shape {
  if (height < 1 || width < 1)
    operation.fail(`gives ${height}x${width}: its windows are larger than its input.`);
  return { channels, height, width };
}

/** With the zeros that a Pad has put round its input. */
function withPadding(operation: Operation, value: MapValue, window: DraftWindow): DraftWindow {
  const { padding: added = NONE } = value;
  const padding = window.padding.map(
    (rows, side) => rows + (added[side] as number),
  ) as unknown as Sides;
  if (padding.some((rows) => rows > MOST_PADDING)) {
    operation.fail(
      `reads ${padding.join(', ')} rows and columns of padding; at most ${MOST_PADDING} are supported.`,
    );
  }
  return { ...window, padding };
}

function pool(
  operation: Operation,
  value: MapValue,
  type: 'maxpool' | 'avgpool',
  countsOwn: boolean,
): Value {
  const own = windowOf(operation, value, 'pool', []);
  const isCeil = operation.int('ceil_mode', 0) === 1;
  const size = windowsOn(value, own, isCeil);
  const ceil = size.join() !== windowsOn(value, own, false).join();
  const hasOwn = own.padding.some((rows) => rows > 0);
  // Zeros of a Pad before it are numbers like others.
  const countPadding = type === 'avgpool' && (value.padding !== undefined || (hasOwn && countsOwn));
  const isOver = ceil && (countPadding || value.padding !== undefined);
  if (isOver || (countPadding && hasOwn && !countsOwn)) {
    operation.fail(
      isOver
        ? 'counts padding in windows that reach beyond it (ceil_mode); supported is one of both.'
        : 'averages padding of a Pad, but not its own; supported is one of both.',
    );
  }
  const window = withPadding(operation, value, own);
  if (window.padding.some((rows, side) => rows >= (window.kernel[side % 2] as number))) {
    operation.fail(
      `has windows of nothing but padding: ${window.padding.join(', ')} of ${window.kernel.join('x')}.`,
    );
  }
  return addPool(
    operation,
    { ...value, padding: undefined },
    type,
    window,
    size,
    ceil,
    countPadding,
  );
}

function addPool(
  operation: Operation,
  value: MapValue,
  type: 'maxpool' | 'avgpool',
  window: DraftWindow,
  size: Pair = [1, 1],
  ceil = false,
  countPadding = false,
): Value {
  const { draft } = value;
  const { channels, height, width } = draft.shape;
  const { kernel, stride, padding } = window;
  const isBare = padding.every((rows) => rows === 0);
  if (isBare && [...kernel, ...stride].every((n) => n === 1)) return value;
  if (isBare && type === 'avgpool' && kernel[0] === height && kernel[1] === width) {
    return average(operation, value);
  }
  const shape = shapeOf(operation, channels, size);
  return operation.layer({ type, inputs: [draft], shape, window, ceil, countPadding });
}

function globalAverage(operation: Operation, value: MapValue): Value {
  operation.image(0);
  const { height, width } = value.draft.shape;
  return height * width === 1 ? value : average(operation, value);
}

function average(operation: Operation, { draft }: MapValue): MapValue {
  const shape = { channels: draft.shape.channels, height: 1, width: 1 };
  return operation.layer({ type: 'globalavgpool', inputs: [draft], shape }, imageView(shape));
}
