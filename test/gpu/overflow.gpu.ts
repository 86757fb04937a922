import { normalise, resample } from '../../src/explain/image';
import { Arena } from '../../src/gpu/arena';
import type { DeviceFacts } from '../../src/gpu/facts';
import type { Gpu } from '../../src/gpu/gpu';
import { createExplainer, type Model } from '../../src/index';
import type { ConvShape } from '../../src/kernels/shared/conv_shape';
import { type Layer, type Network, sizeOf } from '../../src/model/network';
import type { Precision } from '../../src/numbers/dtypes';
import { type Choices, compile } from '../../src/plan/compile';
import { type ConvMethod, HALF_PRODUCTS } from '../../src/plan/conv_choice';
import { graphKit } from '../../src/runtime/load-graph-kit';
import { NetworkWeights } from '../../src/runtime/network-weights';
import { maskedOverflow } from '../../src/runtime/overflow';
import { type Masks, Runner } from '../../src/runtime/runner';
import type { GpuCase } from '../harness/case';
import { testValues } from '../harness/compare';
import { expectError } from '../harness/expect';
import { factsOf } from '../harness/facts';
import { smallGraph } from '../harness/small-graph';
import {
  type SmallModelOptions,
  smallImage,
  smallLayers,
  smallModel,
} from '../harness/small-model';
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

/**
 * Channel 0 of a layer overflows alone, and the layer behind it has only zeros for that channel: what is infinite there
 * counts for nothing but by being infinite.
 */
const overflowingAlone =
  ({ layers }: Network, layer: string) =>
  (tensor: string, values: Float32Array): void => {
    const weighted = layers.filter((one) => one.type === 'conv' || one.type === 'linear');
    const at = weighted.findIndex(({ name }) => name === layer);
    const own = weighted[at] as Layer;
    const next = weighted[at + 1];
    if (tensor === `${layer}.weight`) values.fill(HUGE, 0, values.length / own.output.channels);
    if (!next || tensor !== `${next.name}.weight`) return;
    const row = values.length / next.output.channels;
    for (let o = 0; o < next.output.channels; o++) {
      values.fill(0, o * row, o * row + row / own.output.channels);
    }
  };

const WHITE = { data: new Uint8ClampedArray(4 * 17 * 14).fill(255), width: 17, height: 14 };

/** How the layers are computed: as a software adapter would, and as a GPU. */
const PLANS = { registers: factsOf({ isFallback: true }), workgroup: factsOf() } as const;

const NETWORKS = {
  vggLike: { layers: smallLayers.vggLike },
  poolingHead: { layers: smallLayers.poolingHead, targetLayer: 'conv2' },
  wide: { layers: smallLayers.wide },
} as const satisfies Record<string, SmallModelOptions>;

/** With what only graphs have: window convolutions, by channel too, additions, products, ceilings. */
const BRANCHED = { residual: 'residual', mobile: 'mobile', gates: 'gates' } as const;

function mapValues<Value, Result>(
  from: Readonly<Record<string, Value>>,
  make: (value: Value) => Result,
): Record<string, Result> {
  return Object.fromEntries(Object.entries(from).map(([name, value]) => [name, make(value)]));
}

/** Masks of 2 x 2 maps from 0 to 1. */
function masksIn(arena: Arena, ...maps: readonly (readonly number[])[]): Masks {
  return {
    maps: arena.upload('maps', Float32Array.from(maps.flat())),
    height: 2,
    width: 2,
    ranges: arena.upload('ranges', Float32Array.from(maps.flatMap(() => [0, 1]))),
    channels: Uint32Array.from(maps.keys()),
    alignCorners: false,
  };
}

/** How f16 is computed: F(2x2) in one kernel stores filters alone so, or multiplies in it as well. */
const HALF_WAYS: readonly {
  readonly name: string;
  readonly facts: DeviceFacts;
  readonly product: ConvMethod;
  readonly values?: boolean;
}[] = [
  {
    name: 'registers',
    facts: PLANS.registers,
    product: { kind: 'winograd', precision: 'f16', product: 'registers' },
  },
  {
    name: 'workgroup',
    facts: PLANS.workgroup,
    product: { kind: 'winograd', precision: 'f16', product: 'workgroup' },
  },
  {
    name: 'F(2x2)',
    facts: PLANS.workgroup,
    product: { kind: 'fused', precision: 'f16', sides: 1 },
    values: false,
  },
  {
    name: 'products of F(2x2)',
    facts: PLANS.workgroup,
    product: HALF_PRODUCTS,
  },
];

const DIRECT: ConvMethod = { kind: 'direct', tiling: 'registers' };

/**
 * Expects a forward pass, by fused layers and with every layer's output kept, and a masked one, of which only the logits
 * are looked at, to say that a layer overflows.
 */
async function expectOverflow(
  gpu: Gpu,
  { manifest, network, weights }: Model,
  {
    facts = gpu.facts,
    ...options
  }: { facts?: DeviceFacts; precision?: Precision; choose?: Choices },
  layer: string,
  reason = '',
): Promise<void> {
  const plan = compile(network, facts, options);
  const loaded = await NetworkWeights.load(gpu, plan, weights);
  const runner = new Runner(gpu, plan, loaded);
  const arena = new Arena(gpu);
  try {
    const image = arena.upload('image', normalise(smallImage(), manifest));
    for (const keep of [[], network.layers.map(({ name }) => name)]) {
      const { message } = await expectError(
        () => runner.forward(image, arena, { keep }),
        'not-finite',
        `Layer "${layer}" overflows`,
      );
      if (!message.includes(reason)) throw new Error(`${reason} is not in: ${message}`);
    }
    await expectError(
      () => runner.maskedScores(image, masksIn(arena, [1, 1, 1, 1]), { memoryBudget: 2 ** 26 }),
      'not-finite',
      `Layer "${layer}" overflows`,
    );
  } finally {
    arena.dispose();
    loaded.dispose();
  }
}

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
          const model = smallModel({ change: overflowing(layer) });
          await expectOverflow(gpu, model, { facts }, layer);
        }
        return undefined;
      },
    }),
  ),
  ...Object.entries(PLANS).flatMap(([plan, facts]) =>
    Object.entries(NETWORKS).map(
      ([name, options]): GpuCase => ({
        name: `one channel that overflows is not lost behind weights of zero: ${name}, ${plan}`,
        // A pipeline for each layer: lavapipe takes a minute for the others.
        usually: plan === 'registers' ? ['chrome'] : [],
        async run(gpu) {
          const { network } = smallModel(options);
          const weighted = network.layers.filter(
            ({ type }) => type === 'conv' || type === 'linear',
          );
          for (const { name: layer } of weighted) {
            const model = smallModel({ ...options, change: overflowingAlone(network, layer) });
            await expectOverflow(gpu, model, { facts }, layer);
          }
          return undefined;
        },
      }),
    ),
  ),
  ...([1, -1] as const).map(
    (sign): GpuCase => ({
      name: `a mean of finite values that overflows is named, on the ${sign > 0 ? 'positive' : 'negative'} side`,
      async run(gpu) {
        const change = (tensor: string, values: Float32Array): void => {
          // 238 of them are beyond f32, the 28 of a patch are not.
          if (tensor === 'conv3.bias') values[0] = sign * 5e36;
        };
        await expectOverflow(gpu, smallModel({ ...NETWORKS.poolingHead, change }), {}, 'gap');
        return undefined;
      },
    }),
  ),
  {
    name: 'a target that overflows where no logit sees it is refused',
    async run(gpu) {
      // Weights that cancel each other but for the last column, which pooling of 17 columns leaves out.
      const change = (tensor: string, values: Float32Array): void => {
        if (tensor !== 'conv1.weight') return;
        values.fill(0, 0, 27);
        for (let c = 0; c < 3; c++) values.set([0, HUGE / 5, -HUGE / 5], 9 * c + 3);
      };
      const { manifest, network, weights } = smallModel({ change });
      // Kernels of GPUs keep infinity where it is.
      const plan = compile(network, PLANS.workgroup);
      const loaded = await NetworkWeights.load(gpu, plan, weights);
      const arena = new Arena(gpu);
      try {
        const image = arena.upload('image', normalise(WHITE, manifest));
        const runner = new Runner(gpu, plan, loaded);
        // Pooled in the same step, none of it is left.
        await runner.forward(image, arena);
        const { message } = await expectError(
          () => runner.forward(image, arena, { keep: ['conv1'] }),
          'not-finite',
          'Layer "conv1" overflows for this image: it gives values beyond 3.4e38',
        );
        return message;
      } finally {
        arena.dispose();
        loaded.dispose();
      }
    },
  },
  {
    name: 'an overflow under a mask alone names channel and layer',
    async run(gpu) {
      // What a white image cancels, and a mask that is no plane does not.
      const change = (tensor: string, values: Float32Array): void => {
        if (tensor === 'conv1.weight') {
          values.fill(0, 0, 27);
          for (let c = 0; c < 3; c++) values.set([0, HUGE / 10, -HUGE / 10], 9 * c + 3);
        }
        if (tensor === 'conv2.weight') values[0] = 1000;
      };
      const { manifest, network, weights } = smallModel({ change });
      // Kernels of GPUs keep infinity where it is: in the last column, which pooling leaves out.
      const plan = compile(network, PLANS.workgroup);
      const loaded = await NetworkWeights.load(gpu, plan, weights);
      const runner = new Runner(gpu, plan, loaded);
      const arena = new Arena(gpu);
      try {
        const image = arena.upload('image', normalise(WHITE, manifest));
        const masks = masksIn(arena, [1, 1, 1, 1], [1, 0, 0, 0]);
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
  ...Object.entries(PLANS).flatMap(([plan, facts]) =>
    Object.entries({
      ...mapValues(NETWORKS, (options) => () => smallModel(options)),
      ...mapValues(BRANCHED, (name) => () => smallGraph(name)),
    }).map(
      ([name, modelOf]): GpuCase => ({
        name: `sums that the weights bound are not looked at, and are the same bit for bit: ${name}, ${plan}`,
        // Two pipelines for each kernel.
        usually:
          plan === 'registers' && ['wide', 'residual', 'mobile'].includes(name) ? ['chrome'] : [],
        async run(gpu) {
          const { manifest, network, weights } = modelOf();
          const own = compile(network, facts, { graph: await graphKit(network) });
          const loaded = await NetworkWeights.load(gpu, own, weights);
          const looking = Object.create(loaded, { isBounded: { value: false } }) as NetworkWeights;
          const arena = new Arena(gpu);
          try {
            if (!loaded.isBounded) throw new Error('These weights bound all sums.');
            const image = arena.upload(
              'image',
              normalise(resample(smallImage(), manifest.input), manifest),
            );
            const masks = masksIn(arena, [0, 0.2, 1, 0.4], [1, 0, 0, 0]);
            const [without, with_] = await Promise.all(
              [loaded, looking].map(async (each) => {
                const runner = new Runner(gpu, own, each);
                const { logits } = await runner.maskedScores(image, masks, {
                  memoryBudget: 2 ** 26,
                });
                return [...(await runner.forward(image, arena)).logits, ...logits];
              }),
            );
            if (String(without) !== String(with_)) throw new Error(`${without} is not ${with_}`);
            return undefined;
          } finally {
            arena.dispose();
            loaded.dispose();
          }
        },
      }),
    ),
  ),
  ...Object.entries(PLANS).map(
    ([plan, facts]): GpuCase => ({
      name: `the largest sums that count as bounded are finite: ${plan}`,
      usually: plan === 'registers' ? ['chrome'] : [],
      async run(gpu) {
        // Nothing cancels, and every pixel is as large as one may be: sums are their bound.
        const modelOf = (factor: number) =>
          smallModel({
            ...NETWORKS.wide,
            change: (tensor, values) => {
              const scale = tensor === 'conv3.weight' ? factor : 1;
              for (let i = 0; i < values.length; i++)
                values[i] = scale * Math.abs(values[i] as number);
            },
          });
        const load = async (factor: number) => {
          const { network, weights } = modelOf(factor);
          return NetworkWeights.load(gpu, compile(network, facts), weights);
        };
        const arena = new Arena(gpu);
        let factor = 1e30;
        let loaded = await load(factor);
        try {
          // Halved until they are bounded.
          while (!loaded.isBounded) {
            loaded.dispose();
            factor /= 2;
            loaded = await load(factor);
          }
          const { input, largestPixel } = loaded.plan.network;
          const most = new Float32Array(sizeOf(input)).fill(100 * largestPixel);
          const runner = new Runner(gpu, loaded.plan, loaded);
          const { logits } = await runner.forward(arena.upload('image', most), arena);
          const largest = Math.max(...logits);
          if (!(largest > 1e31)) throw new Error(`${largest} is far from what is the bound.`);
          return `${largest.toExponential(1)}, factor ${factor.toExponential(1)}`;
        } finally {
          arena.dispose();
          loaded.dispose();
        }
      },
    }),
  ),
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
          'Layer "conv3" overflows',
        );
        if (!message.includes('Use precision f32')) throw new Error(message);
        return message;
      } finally {
        half.dispose();
      }
    },
  },
  ...HALF_WAYS.map(
    ({ name, facts, product, values = true }): GpuCase => ({
      name: `f16 does not lose one channel beyond 65504: ${name}`,
      needs: ['shader-f16'],
      // lavapipe takes half a minute to compile it.
      usually: [],
      async run(gpu) {
        const own = {
          facts: { ...facts, features: new Set(['shader-f16']) },
          precision: 'f16',
          choose: { conv: ({ inChannels }: ConvShape) => (inChannels === 3 ? DIRECT : product) },
        } as const;
        // What Winograd is given, and what it sums up: in f16 where it is stored.
        for (const [layer, tensor] of [
          ...(values ? [['conv2', 'conv1.bias'] as const] : []),
          ['conv2', 'conv2.weight'],
          ['conv3', 'conv3.weight'],
        ] as const) {
          const change = (name: string, values: Float32Array): void => {
            if (name !== tensor) return;
            if (name.endsWith('bias')) values[0] = 1e7;
            else values.fill(3e5, 0, values.length / 64);
          };
          const model = smallModel({ ...NETWORKS.wide, change });
          await expectOverflow(gpu, model, own, layer, 'Use precision f32');
        }
        return undefined;
      },
    }),
  ),
  {
    name: 'where no layer overflows alone, that is said',
    async run(gpu) {
      const { network, weights } = smallModel();
      const plan = compile(network, gpu.facts);
      const loaded = await NetworkWeights.load(gpu, plan, weights);
      const arena = new Arena(gpu);
      try {
        const image = arena.upload('image', testValues(3 * 17 * 14, 5));
        const masks = masksIn(arena, [0, 0, 0, 1]);
        const error = await maskedOverflow(new Runner(gpu, plan, loaded), image, masks, 0);
        if (!error.message.includes('no layer overflows')) throw error;
        return undefined;
      } finally {
        arena.dispose();
        loaded.dispose();
      }
    },
  },
];
