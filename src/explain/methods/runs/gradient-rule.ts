/** How maps are weighed by a gradient: one weight a map, or one a value. */
import type { LayerEvidence } from '../../evidence';
import type { ActivationMaps } from '../../saliency';

/** The summed maps, their factors, and the factors as reported: one a channel, or none. */
type Weighed = Pick<LayerEvidence, 'maps' | 'alpha' | 'weights'>;

/** Weighs the maps A_k, given the gradient g_k = dy/dA_k of the class's score y, as large as the maps. */
export type GradientRule = (maps: ActivationMaps, gradient: Float32Array) => Weighed;

/**
 * One weight a map.
 * @param alphaOf the weight of the map whose values, and whose gradients, are those from `from` to before `to`
 */
export function byChannel(
  maps: ActivationMaps,
  alphaOf: (from: number, to: number) => number,
): Weighed {
  const pixels = maps.height * maps.width;
  const alpha = Float32Array.from({ length: maps.count }, (_, k) =>
    alphaOf(k * pixels, (k + 1) * pixels),
  );
  return { maps, alpha, weights: alpha };
}

/**
 * One term a value: a single map, summed up already.
 * @param term of a gradient and the value that it belongs to
 */
export function byPixel(
  maps: ActivationMaps,
  gradient: Float32Array,
  term: (g: number, a: number) => number,
): Weighed {
  const pixels = maps.height * maps.width;
  const sums = new Float64Array(pixels);
  maps.data.forEach((value, i) => {
    sums[i % pixels] = (sums[i % pixels] as number) + term(gradient[i] as number, value);
  });
  return {
    maps: { ...maps, count: 1, data: Float32Array.from(sums) },
    alpha: Float32Array.of(1),
    weights: new Float32Array(0),
  };
}
