import { ScoreCamError } from '../errors';
import { ceilDiv } from '../numbers/padding';

/** maxComputeWorkgroupsPerDimension, the same on every WebGPU device unless more is asked for. */
const MAX_WORKGROUPS = 65535;

/** Of a {@link WorkgroupRule}: workgroups that x has no room for go on in this dimension. */
export const MORE = 0;

/** How workgroups follow from a number of places (tiles or patches): {@link workgroupsOver}. */
export interface WorkgroupRule {
  /** Places that are taken together; the last ones may be fewer. */
  readonly together: number;
  /** Items of work in each of those. */
  readonly items: number;
  /** Items of a workgroup. */
  readonly size: number;
  /** Workgroups in y and in z: a number, or `MORE` in the one where those go on that x has no room for. */
  readonly y: number;
  readonly z: number;
}

/**
 * Workgroups of `size` invocations for `items` independent items. One dimension is enough for 65535
 * workgroups only, so they go on in y; the kernel's item is `id.x + id.y * groups.x * size`.
 * @throws ScoreCamError `limit`
 */
export function workgroupsFor(
  label: string,
  items: number,
  size: number,
): [number, number, number] {
  return checkedWorkgroups(label, [...foldedWorkgroups(ceilDiv(items, size)), 1]);
}

/** `count` workgroups in x and, beyond its limit, another dimension. The kernel's own is `x + other * groups.x`. */
export function foldedWorkgroups(count: number): [number, number] {
  const z = Math.max(1, ceilDiv(count, MAX_WORKGROUPS));
  return [ceilDiv(count, z), z];
}

/**
 * Workgroups for so many places.
 * @throws ScoreCamError `limit`
 */
export function workgroupsOver(
  label: string,
  { together, items, size, y, z }: WorkgroupRule,
  places: number,
): [number, number, number] {
  const count = ceilDiv(ceilDiv(places, together) * items, size);
  if (y !== MORE && z !== MORE) return checkedWorkgroups(label, [count, y, z]);
  const [x, more] = foldedWorkgroups(count);
  return checkedWorkgroups(label, [x, y === MORE ? more : y, z === MORE ? more : z]);
}

/**
 * `workgroups` itself, when every dimension is within the limit.
 * @throws ScoreCamError `limit` naming value and limit
 */
export function checkedWorkgroups(
  label: string,
  workgroups: readonly [number, number, number],
): [number, number, number] {
  const largest = Math.max(...workgroups);
  if (largest > MAX_WORKGROUPS) {
    throw new ScoreCamError(
      'limit',
      `"${label}" needs ${largest} workgroups in one dimension, WebGPU allows ${MAX_WORKGROUPS}. ` +
        'Use smaller batches.',
    );
  }
  return [...workgroups];
}
