import { ScoreCamError } from '../errors';
import { ceilDiv } from './kernel';

/** maxComputeWorkgroupsPerDimension, the same on every WebGPU device unless more is asked for. */
const MAX_WORKGROUPS = 65535;

/**
 * Workgroups of `size` invocations for `items` independent items. One dimension is enough for 65535
 * workgroups only, so the grid goes on in y; the kernel's item is `id.x + id.y * groups.x * size`.
 * @throws ScoreCamError `limit`
 */
export function gridOf(label: string, items: number, size: number): [number, number, number] {
  const needed = ceilDiv(items, size);
  const y = Math.max(1, ceilDiv(needed, MAX_WORKGROUPS));
  return checkedGrid(label, [ceilDiv(needed, y), y, 1]);
}

/** `count` workgroups in x and, beyond its limit, another dimension. The kernel's own is `x + other * grid.x`. */
export function acrossGrid(count: number): [number, number] {
  const z = Math.max(1, ceilDiv(count, MAX_WORKGROUPS));
  return [ceilDiv(count, z), z];
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
