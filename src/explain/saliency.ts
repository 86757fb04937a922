import { Arena } from '../gpu/arena';
import type { Gpu } from '../gpu/gpu';
import { mapRanges } from '../kernels/maps/map_ranges';
import { normaliseMap } from '../kernels/maps/normalise_map';
import { upsample } from '../kernels/maps/upsample';
import { weightedSum } from '../kernels/maps/weighted_sum';
import type { SaliencyMap } from './types';

/** Activation maps of one layer for one image. */
export interface ActivationMaps {
  /** [count, height, width] */
  readonly data: Float32Array;
  readonly count: number;
  readonly height: number;
  readonly width: number;
}

/** How the weighted sum of the maps becomes a map at the image's size. */
export interface MapRule {
  /**
   * Where max(x, 0) is taken: `before` the sum is upsampled (Grad-CAM's paper, pytorch-grad-cam), `after` (the
   * official Score-CAM code), or nowhere (CAM). The contours differ where the sum changes its sign.
   */
  readonly relu: 'before' | 'after' | 'none';
  /** Whether the sum is upsampled with align_corners. */
  readonly alignCorners: boolean;
}

/** The official Score-CAM code. */
const OFFICIAL: MapRule = { relu: 'after', alignCorners: false };

/**
 * A class activation map (Score-CAM's paper, Eq. 9): sum_k alpha_k A_k, rectified and upsampled to
 * `height` x `width` as `rule` says, and min-max normalised. Upsampling is linear, so the sum is taken at
 * low resolution also where it is defined over upsampled maps.
 */
export async function saliencyMap(
  gpu: Gpu,
  maps: ActivationMaps,
  weights: Float32Array,
  height: number,
  width: number,
  rule: MapRule = OFFICIAL,
): Promise<SaliencyMap> {
  const { relu, alignCorners } = rule;
  const arena = new Arena(gpu);
  const size = 4 * height * width;
  try {
    const activations = arena.upload('activation maps', maps.data);
    const alpha = arena.upload('weights', weights);
    const sum = arena.take('weighted sum', 4 * maps.height * maps.width);
    const rectified = arena.take('rectified sum', 4 * maps.height * maps.width);
    const full = arena.take('upsampled map', size);
    const range = arena.take('map range', 8);
    const normalised = arena.take('normalised map', size);
    const low = { mapHeight: maps.height, mapWidth: maps.width };
    const whole = { mapHeight: height, mapWidth: width, height, width };
    const same = { ...low, height: maps.height, width: maps.width };
    const resize = { label: 'map', count: 1, alignCorners };
    const dispatches = [
      weightedSum({
        label: 'map',
        maps: activations,
        weights: alpha,
        count: maps.count,
        ...low,
        output: sum,
      }),
      // To the size it has: only the ReLU is left of it.
      upsample({ ...resize, ...same, relu: relu === 'before', input: sum, output: rectified }),
      upsample({
        ...resize,
        ...low,
        height,
        width,
        relu: relu === 'after',
        input: rectified,
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
    ];
    const [[min, max], data] = await gpu.compute('map', dispatches, [range, normalised]);
    return { width, height, data, flat: !((max as number) > (min as number)) };
  } finally {
    arena.dispose();
  }
}

/**
 * The mean of several layers' normalised maps, or their product, min-max normalised again: pytorch-grad-cam's fusion
 * (aggregate_multi_layers), and RefineCAM's. A single map is returned as it is.
 */
export function fuseMaps(maps: readonly SaliencyMap[], isProduct = false): SaliencyMap {
  const [first] = maps as [SaliencyMap];
  if (maps.length === 1) return first;
  const fused = first.data.map((_, i) => {
    const values = maps.map(({ data }) => data[i] as number);
    return values.reduce((a, b) => (isProduct ? a * b : a + b / maps.length), Number(isProduct));
  });
  const min = fused.reduce((a, b) => Math.min(a, b));
  const max = fused.reduce((a, b) => Math.max(a, b));
  const flat = !(max > min);
  return { ...first, flat, data: fused.map((v) => (flat ? 0 : (v - min) / (max - min))) };
}
