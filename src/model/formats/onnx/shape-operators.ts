import { elementCount } from '../../weight-source';
import { shapeText } from '../elements';
import { MOST_AXES, type Operation, type Operator } from './operation';
import { computed, reshaped, sizesOf, transposed, type Value } from './values';

/*
 * Operators that move nothing: they give the same elements under other sizes.
 */

const same: Operator = (operation) => operation.value(0);

export const SHAPE_OPERATORS: Readonly<Record<string, Operator>> = {
  Identity: same,
  async Dropout(operation) {
    for (const name of ['ratio', 'seed', 'is_test']) operation.attribute(name);
    const [isTraining] = operation.has(2) ? (await operation.constant(2)).values : [];
    if (isTraining) operation.fail('is one of training; export the model in evaluation mode.');
    return operation.value(0);
  },
  Shape(operation) {
    const sizes = sizesOf(operation.value(0));
    const at = (name: string, otherwise: number): number => operation.int(name, otherwise);
    const part = sizes.slice(at('start', 0), at('end', sizes.length));
    return computed([part.length], part, true);
  },
  async Reshape(operation) {
    const allowsZero = operation.int('allowzero', 0) === 1;
    const before = sizesOf(operation.value(0));
    const { values } = await operation.constant(1);
    const asked = values.map((size, i) => (size === 0 && !allowsZero ? (before[i] ?? 0) : size));
    const open = asked.indexOf(-1);
    const known = elementCount(asked.filter((_, i) => i !== open));
    return reshape(
      operation,
      asked.map((size, i) => (i === open ? elementCount(before) / known : size)),
    );
  },
  Flatten(operation) {
    const before = sizesOf(operation.value(0));
    const asked = operation.int('axis', 1);
    const axis = asked === before.length ? asked : operation.axis(asked, before.length);
    return reshape(operation, [
      elementCount(before.slice(0, axis)),
      elementCount(before.slice(axis)),
    ]);
  },
  async Squeeze(operation) {
    const before = sizesOf(operation.value(0));
    const asked = await axesOf(operation);
    const axes = asked?.map((axis) => operation.axis(axis, before.length));
    if (axes?.some((axis) => before[axis] !== 1)) {
      operation.fail(`squeezes the axes ${axes.join(', ')} of ${shapeText(before)}.`);
    }
    return reshape(
      operation,
      before.filter((size, i) => (axes ? !axes.includes(i) : size !== 1)),
    );
  },
  async Unsqueeze(operation) {
    const before = sizesOf(operation.value(0));
    const asked = (await axesOf(operation)) ?? operation.fail('lacks its axes.');
    const rank = before.length + asked.length;
    const axes = new Set(asked.map((axis) => operation.axis(axis, rank)));
    const rest = [...before];
    return reshape(
      operation,
      Array.from({ length: rank }, (_, i) => (axes.has(i) ? 1 : (rest.shift() ?? 0))),
    );
  },
  Transpose(operation) {
    const value = plain(operation);
    if (value.kind === 'computed') return operation.fail('transposes constants.');
    return transposed(value, operation.permutation(sizesOf(value).length));
  },
};

/** Attribute or input, by the opset. */
async function axesOf(operation: Operation): Promise<readonly number[] | undefined> {
  const attribute = operation.ints('axes');
  if (attribute) return attribute;
  return operation.has(1) ? (await operation.constant(1)).values : undefined;
}

/** What it reads: of what depends on the image, without padding to be added. */
function plain(operation: Operation): Value {
  const value = operation.value(0);
  return value.kind === 'map' && value.padding ? operation.map(0) : value;
}

function reshape(operation: Operation, sizes: readonly number[]): Value {
  const value = plain(operation);
  const isPossible =
    sizes.length <= MOST_AXES && sizes.every((size) => Number.isSafeInteger(size) && size >= 0);
  const result = isPossible ? reshaped(value, sizes) : undefined;
  if (result) return result;
  const from = value.kind === 'map' ? operation.viewed(value) : shapeText(sizesOf(value));
  return operation.fail(
    `reshapes ${from} to [${sizes.join(', ')}]; supported is what joins channels, height and width, or takes them apart.`,
  );
}
