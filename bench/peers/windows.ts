import type { WeightedLayer, Window } from '../../src/model/network';

/** Where the windows of a convolution lie. */
export function windowOf(layer: Exclude<WeightedLayer, { type: 'linear' }>): Window {
  if (layer.type === 'windowconv') return layer.window;
  const { kernel } = layer;
  const rows = (kernel - 1) / 2;
  return { kernel: [kernel, kernel], stride: [1, 1], padding: [rows, rows, rows, rows] };
}

export const HALVING: Window = { kernel: [2, 2], stride: [2, 2], padding: [0, 0, 0, 0] };
