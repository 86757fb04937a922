/** The first principal component in f64 by Jacobi's rotations, which share nothing with powers of a matrix. */

type Values = Float64Array;

/** Eigenvalues and eigenvectors (rows) of a symmetric matrix, by cyclic Jacobi rotations. */
function eigenReference(
  matrix: readonly (readonly number[])[],
): { value: number; vector: number[] }[] {
  const n = matrix.length;
  const a = matrix.map((row) => [...row]);
  const v = a.map((_, i) => a.map((_, j) => Number(i === j)));
  const at = (rows: number[][], i: number, j: number): number => (rows[i] as number[])[j] as number;
  const rotate = (rows: number[][], i: number, j: number, c: number, s: number): void => {
    const [x, y] = [rows[i] as number[], rows[j] as number[]];
    for (let k = 0; k < n; k++) {
      const [p, q] = [x[k] as number, y[k] as number];
      x[k] = c * p - s * q;
      y[k] = s * p + c * q;
    }
  };
  for (let sweep = 0; sweep < 30; sweep++) {
    for (let i = 0; i < n; i++) {
      for (let j = i + 1; j < n; j++) {
        if (at(a, i, j) === 0) continue;
        const angle = 0.5 * Math.atan2(2 * at(a, i, j), at(a, j, j) - at(a, i, i));
        const [c, s] = [Math.cos(angle), Math.sin(angle)];
        rotate(a, i, j, c, s);
        for (const row of a) {
          const [p, q] = [row[i] as number, row[j] as number];
          row[i] = c * p - s * q;
          row[j] = s * p + c * q;
        }
        rotate(v, i, j, c, s);
      }
    }
  }
  return v.map((vector, i) => ({ value: at(a, i, i), vector }));
}

function largestReference(matrix: readonly (readonly number[])[]): number[] {
  const all = eigenReference(matrix);
  return all.reduce((best, one) => (one.value > best.value ? one : best)).vector;
}

/** [K][pixels] maps, each less its mean. */
function centredReference(maps: readonly ArrayLike<number>[]): number[][] {
  return maps.map((map) => {
    const values = Array.from(map);
    const mean = values.reduce((a, b) => a + b, 0) / values.length;
    return values.map((value) => value - mean);
  });
}

/** The values' sign is such that they rise with the sum of the maps. */
function signedReference(
  values: readonly number[],
  centred: readonly (readonly number[])[],
): Values {
  const along = values.reduce(
    (sum, value, i) => sum + value * centred.reduce((all, map) => all + (map[i] as number), 0),
    0,
  );
  return Float64Array.from(values, (value) => (along < 0 ? -value : value));
}

const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, value, i) => sum + value * (b[i] as number), 0);

/** Eigen-CAM: by the covariance of the maps, whatever is smaller. */
export function eigenCamReference(maps: readonly ArrayLike<number>[]): Values {
  const centred = centredReference(maps);
  const direction = largestReference(centred.map((a) => centred.map((b) => dot(a, b))));
  const first = centred[0] as number[];
  const projected = first.map((_, i) =>
    centred.reduce((sum, map, k) => sum + (direction[k] as number) * (map[i] as number), 0),
  );
  return signedReference(projected, centred);
}

/** KPCA-CAM with the kernel tanh(x . y / K + 1): the first component of the doubly centred kernel. */
export function kpcaCamReference(maps: readonly ArrayLike<number>[]): Values {
  const centred = centredReference(maps);
  const pixels = (centred[0] as number[]).map((_, i) => centred.map((map) => map[i] as number));
  const kernel = pixels.map((x) => pixels.map((y) => Math.tanh(dot(x, y) / maps.length + 1)));
  const n = pixels.length;
  const means = kernel.map((row) => row.reduce((a, b) => a + b, 0) / n);
  const mean = means.reduce((a, b) => a + b, 0) / n;
  const doubly = kernel.map((row, i) =>
    row.map((value, j) => value - (means[i] as number) - (means[j] as number) + mean),
  );
  return signedReference(largestReference(doubly), centred);
}
