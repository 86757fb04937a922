/** Bilinear interpolation between cells, on the page's side. */

/** Between which two cells a pixel lies, and how far towards the second: align_corners = false. */
export interface Place {
  readonly low: number;
  readonly high: number;
  readonly share: number;
}

export function place(pixel: number, cell: number, cells: number): Place {
  const at = Math.max(0, (pixel + 0.5) / cell - 0.5);
  const low = Math.min(cells - 1, Math.floor(at));
  return { low, high: Math.min(cells - 1, low + 1), share: at - low };
}

export function blend(grid: ArrayLike<number>, row: number, { low, high, share }: Place): number {
  const left = grid[row + low] as number;
  return left + share * ((grid[row + high] as number) - left);
}
