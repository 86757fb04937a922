import { mapRanges } from '../kernels/map_ranges';
import { normaliseMap } from '../kernels/normalise_map';
import { upsample } from '../kernels/upsample';
import { weightedSum } from '../kernels/weighted_sum';
import { Arena } from '../runtime/arena';
import type { Gpu } from '../runtime/gpu';
import type { SaliencyMap } from './types';

/** Activation maps of one layer for one image. */
export interface ActivationMaps {
  /** [count, height, width] */
  readonly data: Float32Array;
  readonly count: number;
  readonly height: number;
  readonly width: number;
}

/**
 * The class activation map of Score-CAM (paper Eq. 9): ReLU(sum_k alpha_k A_k), upsampled to
 * `height` x `width` and min-max normalised. Upsampling is linear, so the sum is taken at low
 * resolution; the ReLU comes after upsampling, as in the official code.
 */
export async function saliencyMap(
  gpu: Gpu,
  maps: ActivationMaps,
  weights: Float32Array,
  height: number,
  width: number,
  alignCorners = false,
): Promise<SaliencyMap> {
  const arena = new Arena(gpu);
  const size = 4 * height * width;
  try {
    const activations = arena.upload('activation maps', maps.data);
    const alpha = arena.upload('weights', weights);
    const sum = arena.take('weighted sum', 4 * maps.height * maps.width);
    const full = arena.take('upsampled map', size);
    const range = arena.take('map range', 8);
    const normalised = arena.take('normalised map', size);
    const low = { mapHeight: maps.height, mapWidth: maps.width };
    const whole = { mapHeight: height, mapWidth: width, height, width };
    await gpu.submit('map', [
      weightedSum({
        label: 'map',
        maps: activations,
        weights: alpha,
        count: maps.count,
        ...low,
        output: sum,
      }),
      upsample({
        label: 'map',
        count: 1,
        ...low,
        height,
        width,
        alignCorners,
        relu: true,
        input: sum,
        output: full,
      }),
      mapRanges({ label: 'map', maps: full, count: 1, ...whole, alignCorners, ranges: range }),
      normaliseMap({
        label: 'map',
        count: height * width,
        range,
        input: full,
        output: normalised,
      }),
    ]);
    const [min, max] = await gpu.read(range.buffer, 2);
    const data = await gpu.read(normalised.buffer, height * width);
    return { width, height, data, flat: !((max as number) > (min as number)) };
  } finally {
    arena.dispose();
  }
}
