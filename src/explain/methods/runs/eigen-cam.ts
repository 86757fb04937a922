import { ScoreCamError } from '../../../errors';
import type { ActivationMaps } from '../../saliency';
import type { RunMethod } from '../method';
import { gradientEvidence } from './gradients';
import { ofMaps } from './of-maps';
import { centred, principalPlaces, projected } from './principal';

/** Positions that are compared each with each: 32 x 32 make a matrix of 8 MB, multiplied by itself some ten times. */
const MOST_POSITIONS = 1024;

/** Eigen-CAM (Muhammad and Yeasin 2020): the maps' values at each place, along the direction in which they vary most. */
export const eigenCam: RunMethod = (forward) =>
  ofMaps(forward, (maps) => alone(maps, projected(centred(maps))));

/** The same of g_k A_k, the gradient at every value times that value. */
export const eigenGradCam: RunMethod = (forward, options) =>
  gradientEvidence(forward, options, (maps, gradient) => {
    const data = maps.data.map((value, i) => value * (gradient[i] as number));
    return alone(maps, projected(centred({ ...maps, data })));
  });

/**
 * KPCA-CAM (Karmani et al. 2024): the first component of the kernel tanh(x . y / K + 1) between the K values at one place
 * and those at another; both are centred.
 */
export const kpcaCam: RunMethod = (forward) =>
  ofMaps(forward, (maps, layer) => {
    const positions = maps.height * maps.width;
    if (positions > MOST_POSITIONS) {
      throw new ScoreCamError(
        'option',
        `kpca-cam compares every position with every other, and ${layer} has ${maps.height} x ${maps.width}; ` +
          `${MOST_POSITIONS} are the most: name a later layer, or use eigen-cam.`,
      );
    }
    return alone(
      maps,
      principalPlaces(centred(maps), (product) => Math.tanh(product / maps.count + 1)),
    );
  });

function alone(maps: ActivationMaps, map: Float64Array) {
  return {
    maps: { ...maps, count: 1, data: Float32Array.from(map) },
    alpha: Float32Array.of(1),
    weights: new Float32Array(0),
  };
}
