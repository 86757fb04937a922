import { IMAGE, isWeighted, type Network } from '../../src/model/network';
import type { WeightSource } from '../../src/model/weight-source';
import { biasReference, derivativeReference, graphBackward, graphForward } from './graph';
import { normaliseReference, rangeOf, upsampleReference } from './interpolation';

/** FullGrad in f64: every channel's magnitude is normalised and upsampled by itself, and all of them are added up. */
export async function fullGradReference(
  network: Network,
  weights: WeightSource,
  image: ArrayLike<number>,
  score: { readonly classIndex: number; readonly of: 'logit' | 'probability' },
): Promise<Float64Array> {
  const pass = await graphForward(network, weights, image);
  const gradients = await graphBackward(network, weights, pass, score);
  const { height, width } = network.input;
  const sum = new Float64Array(height * width);
  const add = (values: Float64Array, mapHeight: number, mapWidth: number): void => {
    for (let from = 0; from < values.length; from += mapHeight * mapWidth) {
      const map = values.slice(from, from + mapHeight * mapWidth).map(Math.abs);
      const { min, max } = rangeOf(map);
      const scaled = map.map((value) => (value - min) / (max - min + 1e-7));
      const size = { mapHeight, mapWidth, height, width, alignCorners: false };
      upsampleReference(scaled, size).forEach((value, i) => {
        sum[i] = (sum[i] as number) + value;
      });
    }
  };
  const ofImage = gradients.get(IMAGE) as Float64Array;
  add(
    ofImage.map((value, i) => value * (image[i] as number)),
    height,
    width,
  );
  for (const layer of network.layers) {
    if (!isWeighted(layer) || layer.type === 'linear') continue;
    const bias = await biasReference(layer, weights);
    const before = pass.sums.get(layer.name) as Float64Array;
    const pixels = layer.output.height * layer.output.width;
    const shares = (gradients.get(layer.name) as Float64Array).map(
      (value, i) =>
        value *
        derivativeReference(before[i] as number, layer.activation) *
        (bias[Math.floor(i / pixels)] as number),
    );
    add(shares, layer.output.height, layer.output.width);
  }
  return normaliseReference(sum);
}
