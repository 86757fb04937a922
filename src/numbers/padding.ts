/** How many groups of `size` cover `count` items. */
export function ceilDiv(count: number, size: number): number {
  return Math.ceil(count / size);
}

/** `count` rounded up to a multiple of `step`. */
export function roundUp(count: number, step: number): number {
  return step * Math.ceil(count / step);
}
