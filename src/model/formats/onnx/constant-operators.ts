import { elementCount } from '../../weight-source';
import type { ComputedWeight } from './draft';
import { BFLOAT16, BOOL, DOUBLE, FLOAT, FLOAT16, INT32, INT64 } from './graph';
import { MOST_AXES, type Operation, type Operator } from './operation';
import { isFloat } from './tensors';
import { computed, storedWeight, type Value } from './values';

/*
 * The arithmetic on shapes that exporters leave behind, on numbers.
 */

const MOST_ELEMENTS = 4096;
const FLOATS = [FLOAT, FLOAT16, BFLOAT16, DOUBLE];

export const CONSTANT_OPERATORS: Readonly<Record<string, Operator>> = {
  Constant(operation) {
    const tensor = operation.attribute('value')?.tensor;
    if (tensor) return storedWeight(tensor);
    const int = operation.attribute('value_int')?.int;
    if (int !== undefined) return computed([], [int], true);
    const float = operation.attribute('value_float')?.float;
    if (float !== undefined) return computed([], [float], false);
    const ints = operation.ints('value_ints');
    if (ints) return computed([ints.length], ints, true);
    const floats = operation.attribute('value_floats')?.floats;
    if (floats) return computed([floats.length], floats, false);
    return operation.fail('has no value that is supported: a tensor, or numbers.');
  },
  async ConstantOfShape(operation) {
    const { values: sizes } = await operation.constant(0);
    const tensor = operation.attribute('value')?.tensor;
    const {
      values: [value = 0],
      isInteger,
    } = tensor ? await operation.numbers(storedWeight(tensor), 1) : computed([], [], false);
    const count = elementCount(sizes);
    if (!(count >= 0 && count <= MOST_ELEMENTS) || sizes.length > MOST_AXES) {
      operation.fail(
        `makes ${count} constants of ${sizes.length} axes; at most ${MOST_ELEMENTS} of ${MOST_AXES} are possible.`,
      );
    }
    return computed(sizes, new Array<number>(count).fill(value), isInteger);
  },
  Cast(operation) {
    const to = operation.int('to', FLOAT);
    operation.attribute('saturate');
    const value = operation.value(0);
    if (FLOATS.includes(to)) {
      return value.kind === 'map' || (value.kind === 'stored' && isFloat(value.tensor))
        ? value
        : operation.constant(0).then((constant) => ({ ...constant, isInteger: false }));
    }
    if (value.kind === 'map' || ![INT32, INT64, BOOL].includes(to)) {
      return operation.fail(
        `casts to the type ${to} (TensorProto.DataType); supported are floats and, of constants, integers.`,
      );
    }
    return castToInteger(operation, to === BOOL);
  },
  async Gather(operation) {
    const { values, shape, isInteger } = await vector(operation, 0);
    operation.axis(operation.int('axis', 0), shape.length);
    const at = await operation.constant(1);
    return computed(
      at.shape,
      at.values.map((i) => values[operation.axis(i, values.length)] as number),
      isInteger,
    );
  },
  async Slice(operation) {
    const constant = await operation.constant(0);
    const { shape } = constant;
    const list = async (name: string, i: number): Promise<readonly number[] | undefined> =>
      operation.ints(name) ?? (operation.has(i) ? (await operation.constant(i)).values : undefined);
    const starts = (await list('starts', 1)) ?? [];
    const ends = (await list('ends', 2)) ?? [];
    const axes = (await list('axes', 3)) ?? starts.map((_, i) => i);
    const steps = (operation.has(4) ? (await operation.constant(4)).values : undefined) ?? [];
    if (axes.length !== starts.length || ends.length !== starts.length) {
      operation.fail(`has ${starts.length} starts, ${ends.length} ends and ${axes.length} axes.`);
    }
    const picked = shape.map((size) => Array.from({ length: size }, (_, i) => i));
    for (const [i, asked] of axes.entries()) {
      const axis = operation.axis(asked, shape.length);
      const part = steps[i] ?? 1;
      if (!Number.isSafeInteger(part) || part === 0) operation.fail(`has the step ${part}.`);
      const [start, end] = [starts[i] as number, ends[i] as number];
      picked[axis] = sliced(shape[axis] as number, start, end, part);
    }
    return rearranged(
      constant,
      shape.map((_, i) => i),
      picked,
    );
  },
  async Transpose(operation) {
    const constant = await operation.constant(0);
    const order = operation.permutation(constant.shape.length);
    const picked = constant.shape.map((size) => Array.from({ length: size }, (_, i) => i));
    return rearranged(constant, order, picked);
  },
  Add: arithmetic((a, b) => a + b),
  Sub: arithmetic((a, b) => a - b),
  Mul: arithmetic((a, b) => a * b),
  Div: arithmetic((a, b, isInteger) => (isInteger ? Math.trunc(a / b) : a / b)),
  async Concat(operation) {
    operation.axis(operation.int('axis', 0), 1);
    const { values, isInteger } = await vector(operation, 0);
    const all = [...values];
    for (let i = 1; i < operation.inputs.length; i++) {
      all.push(...(await vector(operation, i)).values);
      if (all.length > MOST_ELEMENTS) operation.fail(`makes more than ${MOST_ELEMENTS} constants.`);
    }
    return computed([all.length], all, isInteger);
  },
};

async function castToInteger(operation: Operation, isBool: boolean): Promise<Value> {
  const { shape, values } = await operation.constant(0);
  const cast = (value: number): number => (isBool ? Number(value !== 0) : Math.trunc(value));
  return computed(shape, values.map(cast), true);
}

/** Indices from `start` to before `end`, both of which may count from the end or lie outside. */
function sliced(size: number, start: number, end: number, step: number): number[] {
  const within = (index: number): number => {
    const [least, most] = step > 0 ? [0, size] : [-1, size - 1];
    return Math.min(Math.max(index < 0 ? index + size : index, least), most);
  };
  const indices: number[] = [];
  const last = within(end);
  for (let i = within(start); step > 0 ? i < last : i > last; i += step) indices.push(i);
  return indices;
}

/** The axes in another order, of each only some indices. */
function rearranged(
  { shape, values, isInteger }: ComputedWeight,
  order: readonly number[],
  picked: readonly (readonly number[])[],
): ComputedWeight {
  const stepOf = (axis: number): number => elementCount(shape.slice(axis + 1));
  let places = [0];
  for (const axis of order) {
    const step = stepOf(axis);
    places = places.flatMap((place) => (picked[axis] ?? []).map((i) => place + i * step));
  }
  return computed(
    order.map((axis) => picked[axis]?.length ?? 0),
    places.map((place) => values[place] as number),
    isInteger,
  );
}

async function vector(operation: Operation, i: number): Promise<ComputedWeight> {
  const constant = await operation.constant(i);
  if (constant.shape.length !== 1) {
    operation.fail(`takes constants of ${constant.shape.length} axes; supported is one.`);
  }
  return constant;
}

/** Of two of one shape, or of one and a single number. */
function arithmetic(compute: (a: number, b: number, isInteger: boolean) => number): Operator {
  return async (operation) => {
    const [one, other] = [await operation.constant(0), await operation.constant(1)];
    const { isInteger } = one;
    if (other.isInteger !== isInteger) operation.fail('takes integers and floats.');
    const [single] = other.values;
    const [first] = one.values;
    if (
      single !== undefined &&
      other.values.length === 1 &&
      other.shape.length <= one.shape.length
    ) {
      return computed(
        one.shape,
        one.values.map((value) => compute(value, single, isInteger)),
        isInteger,
      );
    }
    if (first !== undefined && one.values.length === 1 && one.shape.length <= other.shape.length) {
      return computed(
        other.shape,
        other.values.map((value) => compute(first, value, isInteger)),
        isInteger,
      );
    }
    if (one.shape.join() !== other.shape.join()) operation.fail('takes constants of two shapes.');
    return computed(
      one.shape,
      one.values.map((value, i) => compute(value, other.values[i] as number, isInteger)),
      isInteger,
    );
  };
}
