import { eigenCamReference } from './components';
import { normaliseReference, upsampleReference } from './interpolation';

/** The gradient methods' maps in f64, written from the papers' formulas. */
export type CamName =
  | 'grad-cam'
  | 'grad-cam++'
  | 'hires-cam'
  | 'layer-cam'
  | 'grad-cam-elementwise'
  | 'xgrad-cam'
  | 'shapley-cam'
  | 'refine-cam'
  | 'eigen-grad-cam';

interface Size {
  readonly count: number;
  readonly mapHeight: number;
  readonly mapWidth: number;
  readonly height: number;
  readonly width: number;
}

export interface CamReference {
  /** alpha_k; empty for methods that weigh by pixel. */
  readonly weights: number[];
  readonly map: Float64Array;
}

export function camReference(
  method: CamName,
  maps: ArrayLike<number>,
  gradient: ArrayLike<number>,
  size: Size,
): CamReference {
  const pixels = size.mapHeight * size.mapWidth;
  const a = (k: number, i: number): number => maps[k * pixels + i] as number;
  const g = (k: number, i: number): number => gradient[k * pixels + i] as number;
  const overPixels = (term: (i: number) => number): number =>
    Array.from({ length: pixels }, (_, i) => term(i)).reduce((x, y) => x + y, 0);
  const alphaOf = (k: number): number => {
    if (method === 'grad-cam' || method === 'shapley-cam')
      return overPixels((i) => g(k, i)) / pixels;
    const total = overPixels((i) => a(k, i));
    if (method === 'xgrad-cam') return overPixels((i) => g(k, i) * a(k, i)) / (total + 1e-7);
    return overPixels((i) => {
      const [g2, g3] = [g(k, i) ** 2, g(k, i) ** 3];
      return (Math.max(g(k, i), 0) * g2) / (2 * g2 + total * g3 + 1e-6);
    });
  };
  const channels = Array.from({ length: size.count }, (_, k) => k);
  const byPixel =
    method === 'hires-cam' || method === 'layer-cam' || method === 'grad-cam-elementwise';
  const weights = byPixel || method === 'eigen-grad-cam' ? [] : channels.map(alphaOf);
  const term = (k: number, i: number): number => {
    if (!byPixel) return (weights[k] as number) * a(k, i);
    if (method === 'hires-cam') return g(k, i) * a(k, i);
    return method === 'layer-cam' ? Math.max(g(k, i), 0) * a(k, i) : Math.max(g(k, i) * a(k, i), 0);
  };
  const products = channels.map((k) =>
    Float64Array.from({ length: pixels }, (_, i) => g(k, i) * a(k, i)),
  );
  const component = method === 'eigen-grad-cam' ? eigenCamReference(products) : undefined;
  const low = Float64Array.from({ length: pixels }, (_, i) =>
    Math.max(
      0,
      component ? (component[i] as number) : channels.reduce((sum, k) => sum + term(k, i), 0),
    ),
  );
  const up = upsampleReference(low, { ...size, alignCorners: false });
  return { weights, map: normaliseReference(up) };
}
