import { uniform } from '../explain/random';
import type { Box } from './types';

/*
 * Infidelity and max-sensitivity (Yeh et al. 2019, "On the (In)fidelity and Sensitivity of Explanations"), by the choices of
 * their code: squares that are removed, and noise within a cube.
 */

/** How many squares are drawn. */
export const SQUARES = 100;

/** Maps of images with noise, and how far its values reach in units of the normalised image: Captum's defaults. */
export const SAMPLES = 10;
export const RADIUS = 0.02;

/** The authors removed every square of 1 to 10 pixels of pictures of 28 x 28: here, of a grid of so many cells. */
const CELLS = 28;
const LARGEST = 10;

/**
 * Squares of cells, each as likely as any other, in pixels; the same ones for the same seed, whatever the map. Pictures of
 * fewer pixels than that have fewer cells.
 */
export function drawSquares(count: number, width: number, height: number, seed: number): Box[] {
  const cells = Math.min(CELLS, width, height);
  const sides = Array.from({ length: Math.min(LARGEST, cells) }, (_, i) => i + 1);
  const places = sides.map((side) => (cells - side + 1) ** 2);
  const all = places.reduce((sum, one) => sum + one, 0);
  const next = uniform(seed);
  return Array.from({ length: count }, () => {
    let index = Math.floor(next() * all);
    let size = 0;
    while (index >= (places[size] as number)) index -= places[size++] as number;
    const side = size + 1;
    const across = cells - side + 1;
    const column = index % across;
    const row = Math.floor(index / across);
    const edge = (cell: number, length: number): number => Math.round((cell * length) / cells);
    const [x, y] = [edge(column, width), edge(row, height)];
    return {
      x,
      y,
      width: edge(column + side, width) - x,
      height: edge(row + side, height) - y,
    };
  });
}

/**
 * mean of (fall - beta sum)^2 over the squares, with the factor beta that makes it least: a map has no unit of its own, so that
 * each is scaled as suits it best, as in the authors' code. Undefined for a map of zeros.
 * @param sums Of the map in each square. @param falls Of the probability without it.
 */
export function infidelityOf(
  sums: readonly number[],
  falls: readonly number[],
): number | undefined {
  let product = 0;
  let squares = 0;
  sums.forEach((sum, i) => {
    product += sum * (falls[i] as number);
    squares += sum ** 2;
  });
  if (!(squares > 0)) return undefined;
  const beta = product / squares;
  return (
    sums.reduce((total, sum, i) => total + ((falls[i] as number) - beta * sum) ** 2, 0) /
    sums.length
  );
}

/** The image with noise uniform in -radius to radius in every value. */
export function shaken(
  image: Float32Array,
  radius: number,
  next: () => number,
): Float32Array<ArrayBuffer> {
  return Float32Array.from(image, (value) => value + radius * (2 * next() - 1));
}

/** Euclidean distance of the second map, as a share of the first's length; undefined for a map of zeros. */
export function relativeChange(map: Float32Array, other: Float32Array): number | undefined {
  const lengthOf = (value: (i: number) => number): number =>
    Math.sqrt(map.reduce((sum, _, i) => sum + value(i) ** 2, 0));
  const length = lengthOf((i) => map[i] as number);
  const change = lengthOf((i) => (map[i] as number) - (other[i] as number));
  return length > 0 ? change / length : undefined;
}
