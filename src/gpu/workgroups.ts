import { ScoreCamError } from '../errors';
import { ceilDiv } from '../numbers/padding';
import type { GridRule } from './kernel';

/** maxComputeWorkgroupsPerDimension, the same on every WebGPU device unless more is asked for. */
const MAX_WORKGROUPS = 65535;

/** Of a {@link GridRule}: workgroups that x has no room for go on in this dimension. */
export const MORE = 0;

/**
 * Workgroups of `size` invocations for `items` independent items. One dimension is enough for 65535
 * workgroups only, so the grid goes on in y; the kernel's item is `id.x + id.y * groups.x * size`.
 * @throws ScoreCamError `limit`
 */
export function gridOf(label: string, items: number, size: number): [number, number, number] {
  return checkedGrid(label, [...acrossGrid(ceilDiv(items, size)), 1]);
}

/** `count` workgroups in x and, beyond its limit, another dimension. The kernel's own is `x + other * grid.x`. */
export function acrossGrid(count: number): [number, number] {
  const z = Math.max(1, ceilDiv(count, MAX_WORKGROUPS));
  return [ceilDiv(count, z), z];
}

/**
 * Workgroups for so many places.
 * @throws ScoreCamError `limit`
 */
export function workgroupsOf(
  label: string,
  { together, items, size, y, z }: GridRule,
  places: number,
): [number, number, number] {
  const count = ceilDiv(ceilDiv(places, together) * items, size);
  if (y !== MORE && z !== MORE) return checkedGrid(label, [count, y, z]);
  const [x, more] = acrossGrid(count);
  return checkedGrid(label, [x, y === MORE ? more : y, z === MORE ? more : z]);
}

/**
 * The grid itself, when every dimension is within the limit.
 * @throws ScoreCamError `limit` naming value and limit
 */
export function checkedGrid(
  label: string,
  grid: readonly [number, number, number],
): [number, number, number] {
  const largest = Math.max(...grid);
  if (largest > MAX_WORKGROUPS) {
    throw new ScoreCamError(
      'limit',
      `"${label}" needs ${largest} workgroups in one dimension, WebGPU allows ${MAX_WORKGROUPS}. ` +
        'Use smaller batches.',
    );
  }
  return [...grid];
}
