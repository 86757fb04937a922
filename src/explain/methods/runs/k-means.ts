import { uniform } from '../../random';

/** Rounds at most; the clusters of some hundred maps stand still after ten or so. */
const MOST_ROUNDS = 100;

/** Points in clusters. */
export interface Clusters {
  /** Of each cluster, the mean of its points. */
  readonly centres: readonly Float64Array[];
  /** Of each point, its cluster. */
  readonly clusterOf: readonly number[];
}

/**
 * Lloyd's k-means from k-means++ (Arthur and Vassilvitskii 2007), in f64: the same seed, the same clusters. Fewer than `count`
 * where there are fewer different points.
 */
export function kMeans(points: readonly Float64Array[], count: number, seed: number): Clusters {
  let centres = firstCentres(points, count, uniform(seed));
  let clusterOf: number[] = [];
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const next = points.map((point) => nearest(point, centres));
    if (next.every((cluster, i) => cluster === clusterOf[i])) break;
    clusterOf = next;
    // A centre that all its points have left stays where it is.
    centres = centres.map((centre, cluster) => {
      const own = points.filter((_, i) => clusterOf[i] === cluster);
      if (own.length === 0) return centre;
      return centre.map(
        (_, d) => own.reduce((sum, point) => sum + (point[d] as number), 0) / own.length,
      );
    });
  }
  return withoutEmpty({ centres, clusterOf });
}

/** Each next centre is a point drawn with a chance as its squared distance from the nearest centre so far. */
function firstCentres(
  points: readonly Float64Array[],
  count: number,
  next: () => number,
): Float64Array[] {
  const centres: Float64Array[] = [];
  let distances: number[] = points.map(() => 1);
  while (centres.length < count) {
    const total = distances.reduce((a, b) => a + b, 0);
    if (total === 0) break;
    let left = next() * total;
    let at = distances.findIndex((distance) => {
      left -= distance;
      return left < 0;
    });
    if (at < 0) at = distances.findLastIndex((distance) => distance > 0);
    const centre = points[at] as Float64Array;
    const isFirst = centres.length === 0;
    centres.push(centre);
    distances = points.map((point, i) => {
      const own = squaredDistance(point, centre);
      return isFirst ? own : Math.min(distances[i] as number, own);
    });
  }
  return centres;
}

function nearest(point: Float64Array, centres: readonly Float64Array[]): number {
  const distances = centres.map((centre) => squaredDistance(point, centre));
  return distances.indexOf(Math.min(...distances));
}

function squaredDistance(a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, value, d) => sum + (value - (b[d] as number)) ** 2, 0);
}

function withoutEmpty({ centres, clusterOf }: Clusters): Clusters {
  const used = [...centres.keys()].filter((cluster) => clusterOf.includes(cluster));
  return {
    centres: used.map((cluster) => centres[cluster] as Float64Array),
    clusterOf: clusterOf.map((cluster) => used.indexOf(cluster)),
  };
}
