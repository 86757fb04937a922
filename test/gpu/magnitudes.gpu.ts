import { normalise } from '../../src/explain/image';
import { Arena } from '../../src/gpu/arena';
import { largestMagnitude } from '../../src/kernels/layers/largest_magnitude';
import { compile } from '../../src/plan/compile';
import { graphKit } from '../../src/runtime/load-graph-kit';
import { NetworkWeights } from '../../src/runtime/network-weights';
import { Runner } from '../../src/runtime/runner';
import type { GpuCase } from '../harness/case';
import { testValues } from '../harness/compare';
import { expectSame } from '../harness/expect';
import { smallGraph } from '../harness/small-graph';
import { smallImage, smallLayers, smallModel } from '../harness/small-model';
import { withExplainer } from '../harness/with-explainer';

/** The largest magnitude of each layer's output: the kernel, and what passes and explanations give. */

const largestOf = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((most, value) => Math.max(most, Math.abs(value)), 0);

/** Values round what a workgroup looks at; where the largest is, of either sign. */
const parts = [
  [0, 1, 0],
  [3, 64, 66],
  [257, 4096, 257],
  [5, 4097, 4101],
  [1, 70001, 40000],
] as const;

const SPECIAL = { infinity: Number.POSITIVE_INFINITY, '-infinity': Number.NEGATIVE_INFINITY, NaN };

const networks = {
  vggLike: smallModel(),
  poolingHead: smallModel({ layers: smallLayers.poolingHead, targetLayer: 'conv2' }),
  dense: smallGraph('dense'),
  residual: smallGraph('residual'),
  pools: smallGraph('pools'),
} as const;

export const cases: readonly GpuCase[] = [
  {
    name: 'of parts of a tensor, in slots that keep what is larger',
    async run(gpu) {
      const slots = gpu.upload('slots', Float32Array.of(0, 0, 0, 0, 0, 7, 0.5));
      const dispatches = parts.flatMap(([first, count, at], slot) => {
        const values = testValues(first + count + 9, slot + 1);
        values[at] = slot % 2 ? -2 - slot : 2 + slot;
        // What stands beside the part is none of it.
        values.fill(Number.NaN, 0, first).fill(Number.POSITIVE_INFINITY, first + count);
        const part = { values: { buffer: gpu.upload('values', values) }, first, count };
        const all = { label: 'test', ...part, slots: { buffer: slots } };
        return [slot, 5, 6].map((to) => largestMagnitude({ ...all, slot: to }));
      });
      await gpu.submit('largest magnitudes', dispatches);
      expectSame('slots', [...(await gpu.read(slots))], [2, 3, 4, 5, 6, 7, 6]);
      return undefined;
    },
  },
  ...Object.entries(SPECIAL).map(
    ([name, special]): GpuCase => ({
      name: `${name} among values up to the largest there are`,
      async run(gpu) {
        const slots = gpu.createBuffer('slots', 4);
        const values = testValues(5000, 1).map((value) => value * 3.4e38);
        values[4321] = special;
        const part = { values: { buffer: gpu.upload('values', values) }, first: 0, count: 5000 };
        await gpu.submit('largest magnitude', [
          largestMagnitude({ label: 'test', ...part, slots: { buffer: slots }, slot: 0 }),
        ]);
        expectSame('slot', String((await gpu.read(slots))[0]), String(Math.abs(special)));
        return undefined;
      },
    }),
  ),
  ...Object.entries(networks).map(
    ([name, { manifest, network, weights }]): GpuCase => ({
      name: `${name}: of every layer's output, alone and of what is computed together`,
      async run(gpu) {
        const plan = compile(network, gpu.facts, { graph: await graphKit(network) });
        const loaded = await NetworkWeights.load(gpu, plan, weights);
        const arena = new Arena(gpu);
        try {
          const runner = new Runner(gpu, plan, loaded);
          const { width, height } = network.input;
          const image = arena.upload('image', normalise(smallImage(width, height), manifest));
          const names = network.layers.map((layer) => layer.name);
          const { kept, magnitudes } = await runner.forward(image, arena, { keep: names });
          expectSame(
            'layers',
            magnitudes.map(({ layer }) => layer),
            names,
          );
          const expected = new Map<string, number>();
          for (const { layer, largest } of magnitudes) {
            const [values] = await gpu.compute(layer, [], [kept.get(layer) as GPUBufferBinding]);
            expected.set(layer, largestOf(values));
            expectSame(layer, largest, expected.get(layer));
          }
          const fused = await runner.forward(image, arena);
          expectSame(
            'steps',
            fused.magnitudes.map(({ layer }) => layer),
            plan.steps.map((step) => step.name),
          );
          for (const { layer, largest } of fused.magnitudes) {
            const apart = expected.get(layer) as number;
            // Other kernels, other rounding.
            if (!(Math.abs(largest - apart) <= 1e-4 * apart)) {
              throw new Error(`${layer}: ${largest}, alone ${apart}`);
            }
          }
          return undefined;
        } finally {
          arena.dispose();
          loaded.dispose();
        }
      },
    }),
  ),
  {
    name: 'explanations give them, by every way and for every class',
    run: (gpu) =>
      withExplainer(gpu, networks.vggLike, async (explainer) => {
        for (const method of ['score-cam', 'grad-cam'] as const) {
          const explanation = await explainer.explain(smallImage(), { method });
          const { magnitudes } = explanation;
          const layers = magnitudes.map(({ layer }) => layer);
          for (const name of ['conv3', 'fc3']) {
            if (!layers.includes(name)) throw new Error(`No ${name} in ${layers}.`);
          }
          if (!magnitudes.every(({ largest }) => largest > 0))
            throw new Error(JSON.stringify(magnitudes));
          expectSame('for another class', (await explanation.forClass(0)).magnitudes, magnitudes);
        }
        return undefined;
      }),
  },
];
