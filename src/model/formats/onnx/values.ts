import type { Shape } from '../../network';
import { elementCount } from '../../weight-source';
import type { ComputedWeight, Draft, Sides, StoredWeight } from './draft';
import type { OnnxTensor } from './graph';

/** What a name in the graph stands for: what a layer gives, or numbers that are known. */
export type Value = MapValue | StoredWeight | ComputedWeight;

/** A letter of a layer's own shape. */
export type Axis = 'channels' | 'height' | 'width';

/**
 * What a layer gives, as the graph sees it: each dimension is the product of some axes of the layer's shape, those of size 1
 * left out. So [1, height, width, channels], flattened or transposed are views of one tensor, and whoever reads it knows in
 * which order it does.
 */
export interface MapValue {
  readonly kind: 'map';
  readonly draft: Draft;
  readonly view: View;
  /** Zeros round it that whoever reads it must add. */
  readonly padding?: Sides | undefined;
  /** Whether a softmax was left out: nothing can be computed from it. */
  readonly isEnd?: boolean | undefined;
}

export type View = readonly (readonly Axis[])[];

/** [1, channels, height, width] */
export function imageView(shape: Shape): View {
  return [[], axes(shape, 'channels'), axes(shape, 'height'), axes(shape, 'width')];
}

/** Those larger than 1. */
export function axes(shape: Shape, ...names: readonly Axis[]): readonly Axis[] {
  return names.filter((name) => shape[name] > 1);
}

export function isSameView(one: View, other: View): boolean {
  return one.length === other.length && one.every((axis, i) => axis.join() === other[i]?.join());
}

/** Sizes as the graph sees them. */
export function sizesOf(value: Value): readonly number[] {
  if (value.kind === 'computed') return value.shape;
  if (value.kind === 'stored') {
    return value.order.map((parts) =>
      elementCount(parts.map((part) => value.axes[part] as number)),
    );
  }
  const { draft, view, padding = [0, 0, 0, 0] } = value;
  const [top, left, bottom, right] = padding;
  const { channels, height, width } = draft.shape;
  const sizes = { channels, height: height + top + bottom, width: width + left + right };
  return view.map((names) => elementCount(names.map((name) => sizes[name])));
}

export function storedWeight(tensor: OnnxTensor): StoredWeight {
  return {
    kind: 'stored',
    tensor,
    axes: tensor.shape,
    order: tensor.shape.map((_, i) => [i]),
  };
}

export function computed(
  shape: readonly number[],
  values: readonly number[],
  isInteger: boolean,
): ComputedWeight {
  return { kind: 'computed', shape, values, isInteger };
}

/** The same elements in the same order under other sizes; undefined where that is no view. */
export function reshaped(value: Value, sizes: readonly number[]): Value | undefined {
  if (elementCount(sizes) !== elementCount(sizesOf(value))) return undefined;
  if (value.kind === 'computed') return { ...value, shape: sizes };
  if (value.kind === 'map') {
    const { shape } = value.draft;
    const view = grouped(value.view.flat(), (name) => shape[name], sizes);
    return view && { ...value, view };
  }
  if (isStoredOrder(value)) return { ...value, axes: sizes, order: sizes.map((_, i) => [i]) };
  const parts = partsOf(value);
  const order = grouped(parts, (part) => value.axes[part] as number, sizes);
  return order && { ...value, order };
}

/** Whether its elements are seen in the order in which they are stored. */
export function isStoredOrder(value: StoredWeight): boolean {
  return partsOf(value).every((part, i, parts) => i === 0 || part > (parts[i - 1] as number));
}

/** Axes as they are seen, those of size 1 left out: wherever they are, nothing changes. */
function partsOf({ axes, order }: StoredWeight): number[] {
  return order.flat().filter((part) => axes[part] !== 1);
}

/** Parts in their order, as many together as make up each size. */
function grouped<Part>(
  parts: readonly Part[],
  sizeOf: (part: Part) => number,
  sizes: readonly number[],
): Part[][] | undefined {
  let next = 0;
  const groups: Part[][] = [];
  for (const size of sizes) {
    const group: Part[] = [];
    for (let product = 1; product !== size; ) {
      const part = parts[next++];
      if (part === undefined) return undefined;
      group.push(part);
      product *= sizeOf(part);
      if (product > size) return undefined;
    }
    groups.push(group);
  }
  return next === parts.length ? groups : undefined;
}

/** Dimensions in another order. */
export function transposed(
  value: MapValue | StoredWeight,
  order: readonly number[],
): MapValue | StoredWeight {
  const turn = <Item>(items: readonly Item[]): Item[] => order.map((i) => items[i] as Item);
  return value.kind === 'map'
    ? { ...value, view: turn(value.view) }
    : { ...value, order: turn(value.order) };
}
