import type { LayerEvidence } from '../../evidence';

/** What a method found that looks into no layer: a map at the image's size. */
export function ofImage(data: Float32Array, height: number, width: number): LayerEvidence {
  return {
    layer: 'image',
    channels: { total: 0, constant: 0, evaluated: 0 },
    constantChannels: [],
    scores: new Float32Array(0),
    maps: { count: 1, height, width, data },
    alpha: Float32Array.of(1),
    weights: new Float32Array(0),
  };
}
