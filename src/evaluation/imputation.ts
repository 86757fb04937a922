import { gaussian } from '../explain/random';

/*
 * Noisy linear imputation (Rong et al. 2022, "A Consistent and Efficient Evaluation Strategy for Attribution Methods",
 * section 4.2): every missing pixel is the weighted mean of its up to eight neighbours in the picture, known or missing
 * themselves, and some noise is added so that no network sees the smooth patch for what it is.
 *
 * The weights are symmetric, so the system is a graph's Laplacian, less the rows and columns of the known pixels: symmetric,
 * and positive definite where at least one pixel is known. Conjugate gradients suit that, in f64 since holes may hold most of
 * the picture. Preconditioned by a modified incomplete Cholesky factorisation without fill-in (Gustafsson 1978), they take
 * 36 to 81 iterations for a round hole of 20 to 95 % of 224 x 224 pixels, where the plain ones take 207 to 594. No library: this
 * is shorter than what would call one, and it runs in the browser.
 */

/** Of a neighbour in the same row or column, and of one across the corner: all eight sum to 1. */
const BESIDE = 1 / 6;
const ACROSS = 1 / 12;

/** Standard deviation of the noise in units of the normalised image: that of the authors' code. */
export const IMPUTATION_NOISE = 0.01;

/** Of the residual against the right hand side. The noise is a million times larger. */
const TOLERANCE = 1e-8;

/** Share of the fill-in dropped that is kept on the diagonal; a pivot below SAFE of the diagonal is replaced by it. */
const MODIFIED = 0.99;
const SAFE = 0.25;

interface Picture {
  readonly width: number;
  readonly height: number;
}

/**
 * A copy of the image [channels, height, width] with the hole's pixels imputed. Where nothing is known they are 0, the mean
 * colour of the training data. The same seed, the same noise.
 * @param hole [height, width], other than 0 where a pixel is missing
 */
export function imputed(
  image: Float32Array,
  hole: ArrayLike<number>,
  { width, height }: Picture,
  { noise, seed }: { readonly noise: number; readonly seed: number },
): Float32Array<ArrayBuffer> {
  const out = Float32Array.from(image);
  const system = new HoleSystem(hole, { width, height });
  const draw = gaussian(seed);
  const pixels = width * height;
  for (let start = 0; start < image.length; start += pixels) {
    const plane = out.subarray(start, start + pixels);
    const values = system.solve(plane);
    system.missing.forEach((pixel, i) => {
      plane[pixel] = (values[i] as number) + noise * draw();
    });
  }
  return out;
}

/** The equations of one hole, for any plane. Arrays of the padded picture have a border of zeros, which no pixel is in. */
class HoleSystem {
  /** The missing pixels, in reading order. */
  readonly missing: Uint32Array;
  private readonly width: number;
  private readonly height: number;
  /** Length of a padded row. */
  private readonly row: number;
  /** Where the missing pixels are in the padded picture. */
  private readonly places: Uint32Array;
  /** Sum of the weights of a missing pixel's neighbours that are in the picture, padded. */
  private readonly diagonal: Float64Array;
  /** 1 over the factorisation's pivots, padded; 0 where no pixel is missing. */
  private readonly pivots: Float64Array;

  constructor(hole: ArrayLike<number>, { width, height }: Picture) {
    this.width = width;
    this.height = height;
    this.row = width + 2;
    this.missing = Uint32Array.from({ length: width * height }, (_, i) => i).filter(
      (i) => hole[i] !== 0,
    );
    this.places = this.missing.map((pixel) => this.placeOf(pixel));
    this.diagonal = this.padded();
    this.pivots = this.padded();
    const inside = this.pad(new Float32Array(width * height).fill(1));
    for (const p of this.places) {
      this.diagonal[p] = this.before(inside, p) + this.behind(inside, p);
    }
    this.factorise();
  }

  /** [missing] what the hole's pixels become by the known ones of a plane [height, width]. */
  solve(plane: Float32Array): Float64Array {
    const { places } = this;
    const known = this.pad(plane);
    for (const p of places) known[p] = 0;
    const [solution, residual, direction] = [this.padded(), this.padded(), this.padded()];
    const [image, changed] = [this.padded(), this.padded()];
    for (const p of places) residual[p] = this.before(known, p) + this.behind(known, p);
    let left = this.product(residual, residual);
    const limit = TOLERANCE ** 2 * left;
    let slope = this.precondition(residual, changed);
    direction.set(changed);
    while (left > limit) {
      const step = slope / this.apply(direction, image);
      left = 0;
      for (let i = 0; i < places.length; i++) {
        const p = places[i] as number;
        const rest = (residual[p] as number) - step * (image[p] as number);
        residual[p] = rest;
        left += rest * rest;
        solution[p] = (solution[p] as number) + step * (direction[p] as number);
      }
      const next = this.precondition(residual, changed);
      const share = next / slope;
      slope = next;
      for (let i = 0; i < places.length; i++) {
        const p = places[i] as number;
        direction[p] = (changed[p] as number) + share * (direction[p] as number);
      }
    }
    return Float64Array.from(places, (p) => solution[p] as number);
  }

  private placeOf(pixel: number): number {
    const y = Math.floor(pixel / this.width);
    return (y + 1) * this.row + (pixel % this.width) + 1;
  }

  private padded(): Float64Array {
    return new Float64Array(this.row * (this.height + 2));
  }

  private pad(plane: Float32Array): Float64Array {
    const out = this.padded();
    plane.forEach((value, pixel) => {
      out[this.placeOf(pixel)] = value;
    });
    return out;
  }

  private product(a: Float64Array, b: Float64Array): number {
    let sum = 0;
    for (const p of this.places) sum += (a[p] as number) * (b[p] as number);
    return sum;
  }

  /** Weighted sum of the four neighbours of `p` that come before it in reading order. */
  private before(values: Float64Array, p: number): number {
    const above = p - this.row;
    const beside = (values[p - 1] as number) + (values[above] as number);
    const across = (values[above - 1] as number) + (values[above + 1] as number);
    return BESIDE * beside + ACROSS * across;
  }

  /** Weighted sum of the four that come after it. */
  private behind(values: Float64Array, p: number): number {
    const below = p + this.row;
    const beside = (values[p + 1] as number) + (values[below] as number);
    const across = (values[below - 1] as number) + (values[below + 1] as number);
    return BESIDE * beside + ACROSS * across;
  }

  private factorise(): void {
    const { places, pivots, diagonal, row } = this;
    const own = this.padded();
    for (const p of places) own[p] = 1;
    const neighbours = [
      [-1, BESIDE],
      [-row, BESIDE],
      [-row - 1, ACROSS],
      [-row + 1, ACROSS],
    ] as const;
    for (const p of places) {
      const whole = diagonal[p] as number;
      let pivot = whole;
      for (const [offset, weight] of neighbours) {
        const j = p + offset;
        const inverse = pivots[j] as number;
        if (inverse === 0) continue;
        const filled = this.behind(own, j) - weight;
        pivot -= weight * (weight + MODIFIED * filled) * inverse;
      }
      pivots[p] = 1 / (pivot < SAFE * whole ? whole : pivot);
    }
  }

  /** out = A v, the equations' left side; returns v . A v. */
  private apply(v: Float64Array, out: Float64Array): number {
    const { places, diagonal } = this;
    let product = 0;
    for (let i = 0; i < places.length; i++) {
      const p = places[i] as number;
      const own = v[p] as number;
      const value = (diagonal[p] as number) * own - this.before(v, p) - this.behind(v, p);
      out[p] = value;
      product += own * value;
    }
    return product;
  }

  /** out = M^-1 r with M = (E + L) E^-1 (E + L^T): L is A below its diagonal, E the pivots. Returns r . M^-1 r. */
  private precondition(r: Float64Array, out: Float64Array): number {
    const { places, pivots } = this;
    for (let i = 0; i < places.length; i++) {
      const p = places[i] as number;
      out[p] = (pivots[p] as number) * ((r[p] as number) + this.before(out, p));
    }
    let product = 0;
    for (let i = places.length - 1; i >= 0; i--) {
      const p = places[i] as number;
      const value = (out[p] as number) + (pivots[p] as number) * this.behind(out, p);
      out[p] = value;
      product += value * (r[p] as number);
    }
    return product;
  }
}
