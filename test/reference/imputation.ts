/**
 * The equations of noisy linear imputation as they are defined, solved densely by elimination in f64: every missing pixel is the
 * mean of its neighbours in the picture, those of its row and column twice as heavy as those across the corner.
 */
export function imputedReference(
  plane: ArrayLike<number>,
  hole: ArrayLike<number>,
  width: number,
  height: number,
): Float64Array {
  const missing = Array.from({ length: width * height }, (_, i) => i).filter((i) => hole[i]);
  const rows = missing.map((pixel) => {
    const [x, y] = [pixel % width, Math.floor(pixel / width)];
    const row = new Float64Array(missing.length + 1);
    for (let dy = -1; dy <= 1; dy++) {
      for (let dx = -1; dx <= 1; dx++) {
        const [column, line] = [x + dx, y + dy];
        const isSelf = dx === 0 && dy === 0;
        if (isSelf || column < 0 || line < 0 || column >= width || line >= height) continue;
        const weight = dx === 0 || dy === 0 ? 1 / 6 : 1 / 12;
        const neighbour = line * width + column;
        const at = missing.indexOf(neighbour);
        row[missing.indexOf(pixel)] = (row[missing.indexOf(pixel)] as number) + weight;
        if (at >= 0) row[at] = (row[at] as number) - weight;
        else {
          row[missing.length] =
            (row[missing.length] as number) + weight * (plane[neighbour] as number);
        }
      }
    }
    return row;
  });
  const solution = eliminate(rows);
  const out = Float64Array.from(plane);
  missing.forEach((pixel, i) => {
    out[pixel] = solution[i] as number;
  });
  return out;
}

/** Gauss with the largest pivot of each column; rows are [A | b]. */
function eliminate(rows: Float64Array[]): number[] {
  const n = rows.length;
  for (let column = 0; column < n; column++) {
    const size = (i: number): number => Math.abs((rows[i] as Float64Array)[column] as number);
    let best = column;
    for (let i = column + 1; i < n; i++) if (size(i) > size(best)) best = i;
    [rows[column], rows[best]] = [rows[best] as Float64Array, rows[column] as Float64Array];
    const pivot = rows[column] as Float64Array;
    for (let i = column + 1; i < n; i++) {
      const row = rows[i] as Float64Array;
      const factor = (row[column] as number) / (pivot[column] as number);
      if (factor === 0) continue;
      for (let j = column; j <= n; j++) {
        row[j] = (row[j] as number) - factor * (pivot[j] as number);
      }
    }
  }
  const solution = new Array<number>(n).fill(0);
  for (let i = n - 1; i >= 0; i--) {
    const row = rows[i] as Float64Array;
    let value = row[n] as number;
    for (let j = i + 1; j < n; j++) value -= (row[j] as number) * (solution[j] as number);
    solution[i] = value / (row[i] as number);
  }
  return solution;
}
