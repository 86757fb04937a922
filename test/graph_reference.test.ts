import { describe, expect, it } from 'vitest';
import { testValues } from './harness/compare';
import { type SmallGraphName, smallGraph, smallGraphs } from './harness/small-graph';
import { graphBackward, graphForward, logitsOf } from './reference/graph';

describe('the f64 reference of graphs', () => {
  it.each(Object.keys(smallGraphs) as SmallGraphName[])(
    'differentiates as central differences do: %s',
    async (name) => {
      const { network, weights } = smallGraph(name);
      const { width, height } = network.input;
      const image = testValues(3 * height * width, 5);
      const pass = await graphForward(network, weights, image);
      const score = { classIndex: 1, of: 'probability' } as const;
      const gradients = await graphBackward(network, weights, pass, score);
      const scoreOf = async (layer: string, values: ArrayLike<number>): Promise<number> => {
        const given = new Map([[layer, values]]);
        const exps = logitsOf(network, await graphForward(network, weights, image, given)).map(
          Math.exp,
        );
        return (exps[score.classIndex] as number) / exps.reduce((a, b) => a + b);
      };
      const step = 1e-6;
      for (const layer of network.layers) {
        const output = pass.outputs.get(layer.name) as Float64Array;
        const gradient = gradients.get(layer.name) as Float64Array;
        expect(
          gradient.some((value) => Math.abs(value) > 1e-7),
          layer.name,
        ).toBe(true);
        // Values at a kink may be maxima beside equal ones.
        const places = Array.from(output.keys()).filter((i) => output[i] !== 0);
        for (const part of [0.1, 0.5, 0.83]) {
          const at = places[Math.floor(part * places.length)] as number;
          const moved = output.slice();
          moved[at] = (output[at] as number) + step;
          const above = await scoreOf(layer.name, moved);
          moved[at] = (output[at] as number) - step;
          const found = (above - (await scoreOf(layer.name, moved))) / (2 * step);
          // Differences of f64 scores below 1 are good to about 1e-16 / 1e-6.
          expect(Math.abs(found - (gradient[at] as number)), `${layer.name} ${at}`).toBeLessThan(
            2e-9,
          );
        }
      }
    },
  );
});
