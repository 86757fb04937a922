import { normalise } from '../../src/explain/image';
import { Arena } from '../../src/gpu/arena';
import { createExplainer } from '../../src/index';
import { compile, type Plan } from '../../src/plan/compile';
import { NetworkWeights } from '../../src/runtime/network-weights';
import { overflowOf } from '../../src/runtime/overflow';
import { Runner } from '../../src/runtime/runner';
import type { GpuCase } from '../harness/case';
import { testValues } from '../harness/compare';
import { expectError } from '../harness/expect';
import { factsOf } from '../harness/facts';
import { smallImage, smallLayers, smallModel } from '../harness/small-model';
import { withExplainer } from '../harness/with-explainer';

/**
 * Numbers beyond f32 or f16. Sums that overflow to both sides are NaN, of which max(x, 0) makes a 0 that nobody would see.
 */

const HUGE = 3e38;

/** Weights of a layer so large, and of both signs, that sums of its products are infinite or NaN. */
const overflowing =
  (layer: string, size = HUGE) =>
  (tensor: string, values: Float32Array): void => {
    if (tensor !== `${layer}.weight`) return;
    for (let i = 0; i < values.length; i++) values[i] = i % 2 ? size : -size;
  };

const WEIGHTED = smallLayers.vggLike
  .filter(({ type }) => type !== 'maxpool')
  .map(({ name }) => name);

/** How the layers are computed: as a software adapter would, and as a GPU. */
const PLANS = { registers: factsOf({ isFallback: true }), workgroup: factsOf() } as const;

export const cases: readonly GpuCase[] = [
  ...WEIGHTED.map(
    (layer): GpuCase => ({
      name: `classify and explain say that ${layer} overflows`,
      async run(gpu) {
        const model = smallModel({ change: overflowing(layer) });
        return withExplainer(gpu, model, async (explainer) => {
          const named = `Layer "${layer}" overflows for this image`;
          await expectError(() => explainer.explain(smallImage()), 'not-finite', named);
          const { message } = await expectError(
            () => explainer.classify(smallImage()),
            'not-finite',
            named,
          );
          return message;
        });
      },
    }),
  ),
  ...Object.entries(PLANS).map(
    ([name, facts]): GpuCase => ({
      name: `what is not finite reaches the logits from every layer: ${name}`,
      async run(gpu) {
        for (const layer of WEIGHTED) {
          const { manifest, network, weights } = smallModel({ change: overflowing(layer) });
          const plan: Plan = compile(network, facts);
          const loaded = await NetworkWeights.load(gpu, plan, weights);
          const runner = new Runner(gpu, plan, loaded);
          const arena = new Arena(gpu);
          try {
            const image = arena.upload('image', normalise(smallImage(), manifest));
            await expectError(
              () => runner.forward(image, arena),
              'not-finite',
              `Layer "${layer}" overflows`,
            );
          } finally {
            arena.dispose();
            loaded.dispose();
          }
        }
        return undefined;
      },
    }),
  ),
  {
    name: 'an overflow under a mask alone names channel and layer',
    async run(gpu) {
      const { network, weights } = smallModel();
      const plan = compile(network, gpu.facts);
      const loaded = await NetworkWeights.load(gpu, plan, weights);
      const runner = new Runner(gpu, plan, loaded);
      const arena = new Arena(gpu);
      try {
        // The image is huge where the one mask is 1 and the other 0.
        const values = testValues(3 * 17 * 14, 5);
        values[0] = HUGE;
        const image = arena.upload('image', values);
        const maps = arena.upload('maps', Float32Array.of(0, 0, 0, 1, 1, 0, 0, 0));
        const masks = {
          maps,
          height: 2,
          width: 2,
          ranges: arena.upload('ranges', Float32Array.of(0, 1, 0, 1)),
          channels: Uint32Array.of(0, 1),
          alignCorners: false,
        };
        const { message } = await expectError(
          () => runner.maskedScores(image, masks, { memoryBudget: 2 ** 26 }),
          'not-finite',
          'overflows for the image under the mask of channel 1',
        );
        return message;
      } finally {
        arena.dispose();
        loaded.dispose();
      }
    },
  },
  {
    name: 'a normalised image that is not finite is refused, by channel, mean and std',
    async run(gpu) {
      const model = smallModel();
      const { manifest } = model;
      const input = { ...manifest.input, mean: [0.5, 1e300, 0.3] as const };
      const wrong = { ...model, manifest: { ...manifest, input } } as typeof model;
      const explainer = await createExplainer({ model: wrong, device: gpu.device });
      try {
        const { message } = await expectError(
          () => explainer.classify(smallImage()),
          'not-finite',
          'mean 1e+300',
        );
        return message;
      } finally {
        explainer.dispose();
      }
    },
  },
  {
    name: 'f16 says where it overflows, and f32 does not',
    needs: ['shader-f16'],
    usually: ['dawn'],
    async run(gpu) {
      // Sums of some 10^5: f32 holds them, f16 does not.
      const model = smallModel({
        layers: smallLayers.vggLike,
        change: (tensor, values) => {
          if (tensor !== 'conv1.weight') return;
          for (let i = 0; i < values.length; i++) values[i] = 1e5 * (values[i] as number);
        },
      });
      const create = (precision: 'f16' | 'f32') =>
        createExplainer({ model, device: gpu.device, precision });
      const whole = await create('f32');
      await whole.classify(smallImage());
      whole.dispose();
      const half = await create('f16');
      try {
        const { message } = await expectError(
          () => half.classify(smallImage()),
          'not-finite',
          'Use precision f32',
        );
        return message;
      } finally {
        half.dispose();
      }
    },
  },
  {
    name: 'where no layer overflows alone, that is said',
    async run(gpu) {
      const { network, weights } = smallModel();
      const plan = compile(network, gpu.facts);
      const loaded = await NetworkWeights.load(gpu, plan, weights);
      const arena = new Arena(gpu);
      try {
        const image = arena.upload('image', testValues(3 * 17 * 14, 5));
        const error = await overflowOf({ gpu, plan, weights: loaded }, image, 'this image');
        if (!error.message.includes('no layer overflows')) throw error;
        return undefined;
      } finally {
        arena.dispose();
        loaded.dispose();
      }
    },
  },
];
