/** The first principal component of maps, in f64. */
import type { ActivationMaps } from '../../saliency';

/** [rows, columns], row by row. */
interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly data: Float64Array;
}

/** [maps, positions], each map less its mean. */
export function centred({ data, count, height, width }: ActivationMaps): Matrix {
  const columns = height * width;
  const result = Float64Array.from(data);
  for (let k = 0; k < count; k++) {
    const map = result.subarray(k * columns, (k + 1) * columns);
    const mean = map.reduce((sum, value) => sum + value, 0) / columns;
    map.forEach((value, i) => {
      map[i] = value - mean;
    });
  }
  return { rows: count, columns, data: result };
}

/**
 * At each position the projection on the direction in which maps vary most (the first right singular vector of
 * [positions, maps]), up to a positive factor. Its sign, which is not defined, is such that it rises with the sum of the
 * maps. Zeros where no map varies.
 */
export function projected(maps: Matrix): Float64Array {
  const { rows, columns, data } = maps;
  // The smaller one of the two matrices of products has the same answer.
  if (columns <= rows) return principalPlaces(maps, (product) => product);
  const direction = dominant(products(maps));
  const sums = new Float64Array(columns);
  for (let i = 0; i < data.length; i++) {
    const k = Math.floor(i / columns);
    sums[i % columns] =
      (sums[i % columns] as number) + (direction[k] as number) * (data[i] as number);
  }
  return signed(sums, maps);
}

/** The first component among the positions, compared by a kernel of the product of the values at two of them. */
export function principalPlaces(maps: Matrix, kernel: (product: number) => number): Float64Array {
  const compared = products(transposed(maps));
  const { rows, data } = compared;
  for (let i = 0; i < data.length; i++) data[i] = kernel(data[i] as number);
  const means = Array.from({ length: rows }, (_, i) => {
    return data.subarray(i * rows, (i + 1) * rows).reduce((a, b) => a + b, 0) / rows;
  });
  const mean = means.reduce((a, b) => a + b, 0) / rows;
  for (let i = 0; i < data.length; i++) {
    const [row, column] = [means[Math.floor(i / rows)] as number, means[i % rows] as number];
    data[i] = (data[i] as number) - row - column + mean;
  }
  return signed(dominant(compared), maps);
}

/** `values` or their negative, whichever rises with the sum of the maps. */
function signed(values: Float64Array, { columns, data }: Matrix): Float64Array {
  const along = data.reduce((sum, value, i) => sum + value * (values[i % columns] as number), 0);
  return along < 0 ? values.map((value) => -value) : values;
}

function transposed({ rows, columns, data }: Matrix): Matrix {
  const result = new Float64Array(data.length);
  for (let i = 0; i < data.length; i++) {
    result[(i % columns) * rows + Math.floor(i / columns)] = data[i] as number;
  }
  return { rows: columns, columns: rows, data: result };
}

/** The products of every row with every other. */
function products({ rows, columns, data }: Matrix): Matrix {
  const result = new Float64Array(rows * rows);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = 0;
      const [a, b] = [i * columns, j * columns];
      for (let k = 0; k < columns; k++) sum += (data[a + k] as number) * (data[b + k] as number);
      result[i * rows + j] = sum;
      result[j * rows + i] = sum;
    }
  }
  return { rows, columns: rows, data: result };
}

/** Squarings of a matrix at most; 2^30 steps of the power method tell eigenvalues apart that differ by 1e-7. */
const MOST_SQUARINGS = 30;

/**
 * The eigenvector of the largest eigenvalue of a symmetric matrix, of length 1: the power method, the power taken by
 * squaring until it is a product of one vector with itself. Zeros for a matrix of zeros.
 */
function dominant(matrix: Matrix): Float64Array {
  const { rows } = matrix;
  let power = scaled(matrix);
  for (let i = 0; i < MOST_SQUARINGS; i++) {
    const next = scaled(products(power));
    const change = next.data.reduce((most, value, at) => {
      return Math.max(most, Math.abs(value - (power.data[at] as number)));
    }, 0);
    power = next;
    if (change < 1e-14) break;
  }
  const diagonal = Array.from({ length: rows }, (_, i) => power.data[i * rows + i] as number);
  const at = diagonal.indexOf(Math.max(...diagonal));
  const vector = power.data.slice(at * rows, (at + 1) * rows);
  const length = Math.hypot(...vector);
  if (length === 0) return vector;
  const unit = vector.map((value) => value / length);
  // Of a kernel that is no inner product the eigenvalue farthest from 0 may be negative: the largest is found above it.
  const value = eigenvalue(matrix, unit);
  if (value >= 0) return unit;
  const data = matrix.data.map((entry, i) => entry - (i % (rows + 1) === 0 ? value : 0));
  return dominant({ ...matrix, data });
}

/** Divided by the root of the sum of its squares. */
function scaled(matrix: Matrix): Matrix {
  const length = Math.sqrt(matrix.data.reduce((sum, value) => sum + value * value, 0));
  return length === 0 ? matrix : { ...matrix, data: matrix.data.map((value) => value / length) };
}

function eigenvalue({ rows, data }: Matrix, vector: Float64Array): number {
  return data.reduce((sum, value, i) => {
    return sum + value * (vector[i % rows] as number) * (vector[Math.floor(i / rows)] as number);
  }, 0);
}
