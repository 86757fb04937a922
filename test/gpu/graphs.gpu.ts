import { normalise } from '../../src/explain/image';
import type { GpuCase } from '../harness/case';
import { assertClose } from '../harness/compare';
import { checkForward, checkGradients, checkLogits, checkMasked } from '../harness/graph-checks';
import { randomGraph } from '../harness/random-graph';
import { type SmallGraphName, smallGraph, smallGraphs } from '../harness/small-graph';
import { smallImage } from '../harness/small-model';
import { withExplainer } from '../harness/with-explainer';
import { fullGradReference } from '../reference/full_grad';

/*
 * Whole networks with branches against their f64 reference, which fuses nothing: forwards, under masks, backwards.
 */

/** Picked by hand for any adapter: both kinds of kernels. */
const DEVICES = { software: { isFallback: true }, gpu: { isFallback: false } } as const;

/** Those whose kernels differ between devices in more than their tiles; workgroups compile slowly in software. */
const ON_GPUS: readonly SmallGraphName[] = ['residual', 'groups'];

const names = Object.keys(smallGraphs) as SmallGraphName[];

const smallCases = names.flatMap((name): GpuCase[] => [
  ...(ON_GPUS.includes(name) ? (['software', 'gpu'] as const) : (['software'] as const)).flatMap(
    (device): GpuCase[] => [
      {
        name: `${name} as for ${device}: every layer's output, and the logits with all that is fused`,
        run: (gpu) => checkForward(gpu, smallGraph(name), { facts: DEVICES[device] }),
      },
      {
        name: `${name} as for ${device}: masked passes in batches are passes of masked images`,
        // Barriers make them slow to compile.
        usually: name === 'residual' && device === 'gpu' ? [] : ['chrome'],
        run: (gpu) => checkMasked(gpu, smallGraph(name), { facts: DEVICES[device] }),
      },
    ],
  ),
  {
    name: `${name}: gradients at every layer, of logits and probabilities`,
    run: (gpu) => checkGradients(gpu, smallGraph(name)),
  },
]);

const halfCases = (['residual', 'mobile'] as const).map(
  (name): GpuCase => ({
    name: `${name} with f16 weights: the logits of weights rounded so`,
    run: (gpu) => checkLogits(gpu, smallGraph(name), { dtype: 'f16' }, 4e-3),
  }),
);

/** Each of so many layers that few are tried by hand; half of them in every run. */
const SEEDS = 16;

const randomCases = Array.from(
  { length: SEEDS },
  (_, seed): GpuCase => ({
    name: `by chance, ${seed}: forwards, under masks and backwards`,
    usually: seed < SEEDS / 2 ? ['chrome'] : [],
    async run(gpu) {
      const model = randomGraph(seed);
      const how = { facts: DEVICES.software };
      return [
        `${model.network.layers.length} layers`,
        await checkForward(gpu, model, how),
        await checkMasked(gpu, model, how),
        await checkGradients(gpu, model, how),
      ].join('; ');
    },
  }),
);

/** With biases of every kind of convolution, and of batch normalisations folded in. */
const fullGrad: GpuCase = {
  name: 'FullGrad of networks with branches is what f64 says',
  async run(gpu) {
    const notes: string[] = [];
    for (const name of ['mobile', 'residual'] as const) {
      const model = smallGraph(name);
      const { network, weights, manifest } = model;
      const image = smallImage(network.input.width, network.input.height);
      await withExplainer(gpu, model, async (explainer) => {
        const { map } = await explainer.explain(image, { method: 'full-grad', class: 1 });
        const score = { classIndex: 1, of: 'logit' } as const;
        const input = normalise(image, manifest);
        const expected = await fullGradReference(network, weights, input, score);
        notes.push(assertClose(name, map.data, expected, 1e-3));
      });
    }
    return notes.join('; ');
  },
};

export const cases: GpuCase[] = [...smallCases, ...halfCases, ...randomCases, fullGrad];
