import { runForward, type Target } from '../../src/explain/forward';
import { normalise } from '../../src/explain/image';
import { Arena } from '../../src/gpu/arena';
import type { Gpu } from '../../src/gpu/gpu';
import {
  createExplainer,
  type Explainer,
  METHODS,
  type Method,
  type Model,
  type WeightDtype,
} from '../../src/index';
import { methodName } from '../../src/plan/candidates';
import { compile, type Plan } from '../../src/plan/compile';
import { NetworkWeights } from '../../src/runtime/network-weights';
import { Runner } from '../../src/runtime/runner';
import type { GpuCase } from '../harness/case';
import { expectError } from '../harness/expect';
import { factsOf } from '../harness/facts';
import { smallGraph } from '../harness/small-graph';
import { smallImage, smallLayers, smallModel } from '../harness/small-model';

/** Masked passes that are run again by plain kernels: right ones stand, wrong ones are told of. */

const VALIDATED = (Object.keys(METHODS) as Method[]).filter(
  (method) => 'validate' in METHODS[method].options,
);

const NETWORKS = {
  vggLike: { layers: smallLayers.vggLike },
  poolingHead: { layers: smallLayers.poolingHead, targetLayer: 'conv2' },
  wide: { layers: smallLayers.wide },
} as const;

/** Those that `npm test` runs. */
const IN_CHROME: readonly Method[] = ['score-cam', 'ss-cam', 'rise'];

/** As small as a method goes. */
const FEW = { samples: 2, steps: 2, groups: 3, masks: 6 } as const;

const explainBy = (explainer: Explainer, method: Method) => {
  const own = Object.entries(FEW).filter(([option]) => option in METHODS[method].options);
  return explainer.explain(smallImage(), { method, ...Object.fromEntries(own), validate: true });
};

/** Runs masked passes as a plan says, and validates them. */
async function validated(
  gpu: Gpu,
  plan: Plan,
  { manifest, network, weights }: Model,
): Promise<void> {
  const loaded = await NetworkWeights.load(gpu, plan, weights);
  const runner = new Runner(gpu, plan, loaded);
  const arena = new Arena(gpu);
  try {
    const image = arena.upload('image', normalise(smallImage(), manifest));
    const { targets } = await runForward(runner, image, arena, {
      layers: [network.targetLayer],
      keep: [],
      alignCorners: false,
      ownRanges: false,
    });
    const { maps, activations, ranges, constantChannels } = targets[0] as Target;
    const channels = Array.from({ length: maps.count }, (_, k) => k);
    await runner.maskedScores(
      image,
      {
        maps: activations,
        height: maps.height,
        width: maps.width,
        ranges,
        channels: Uint32Array.from(channels.filter((k) => !constantChannels.includes(k))),
        alignCorners: false,
      },
      { memoryBudget: 2 ** 26, validate: true },
    );
  } finally {
    arena.dispose();
    loaded.dispose();
  }
}

/**
 * An explainer on a device of its own whose kernels of a name have another text.
 * @param text as it is served, and as it is built, without blanks and with short names
 */
async function withBrokenKernel(
  name: RegExp,
  text: RegExp,
  broken: string,
  work: (explainer: Explainer) => Promise<string>,
): Promise<string> {
  const adapter = (await navigator.gpu.requestAdapter()) as GPUAdapter;
  const features = (['subgroups'] as const).filter((feature) => adapter.features.has(feature));
  const device = await adapter.requestDevice({ requiredFeatures: features });
  const create = device.createShaderModule.bind(device);
  let changed = 0;
  device.createShaderModule = ({ code, ...rest }) => {
    const other = name.test(rest.label ?? '') ? code.replace(text, broken) : code;
    if (other !== code) changed++;
    return create({ ...rest, code: other });
  };
  const explainer = await createExplainer({ model: smallModel(), device });
  try {
    const told = await work(explainer);
    if (changed === 0) throw new Error(`no kernel ${name} has the text ${text}`);
    return told;
  } finally {
    explainer.dispose();
    device.destroy();
  }
}

const wrongScores = async (explainer: Explainer): Promise<string> => {
  const wrong = () => explainBy(explainer, 'score-cam');
  return (await expectError(wrong, 'kernel', 'Wrong scores on')).message;
};

export const cases: readonly GpuCase[] = [
  ...VALIDATED.map(
    (method): GpuCase => ({
      name: `${method}: its scores stand`,
      usually: IN_CHROME.includes(method) ? ['chrome'] : [],
      async run(gpu) {
        const explainer = await createExplainer({ model: smallModel(), device: gpu.device });
        try {
          const { options } = await explainBy(explainer, method);
          return `validate ${options.validate}`;
        } finally {
          explainer.dispose();
        }
      },
    }),
  ),
  ...Object.entries(NETWORKS).flatMap(([name, options]) =>
    (['f32', 'f16', 'int8'] as const).map(
      (dtype: WeightDtype): GpuCase => ({
        name: `${name} in ${dtype}: its scores stand, by kernels for software and for GPUs`,
        // They take software adapters long to compile, and Chrome validates whole explanations.
        usually: [],
        async run(gpu) {
          const model = smallModel(options);
          for (const facts of [factsOf({ isFallback: true }), factsOf()]) {
            const plan = compile(model.network, facts, { dtype });
            await validated(gpu, plan, model);
          }
          return undefined;
        },
      }),
    ),
  ),
  ...(
    [
      ['f16', 'software'],
      ['f16', 'GPUs'],
      ['f16-products', 'GPUs'],
    ] as const
  ).map(([precision, kernels]): GpuCase => {
    const isFallback = kernels === 'software';
    return {
      name: `in precision ${precision} its scores stand, by kernels for ${kernels}`,
      needs: ['shader-f16'],
      // lavapipe takes most of a minute to compile the others.
      usually: isFallback ? ['dawn'] : [],
      async run(gpu) {
        const model = smallModel(NETWORKS.wide);
        const facts = factsOf({ isFallback, features: new Set(['shader-f16']) });
        const plan = compile(model.network, facts, { precision });
        // Or it would be another kernel that is looked at.
        const multiplies = plan.steps.some(
          (step) => step.kind === 'conv' && methodName(step.method).includes('products'),
        );
        if (multiplies !== (precision === 'f16-products')) throw new Error('other products');
        await validated(gpu, plan, model);
        return undefined;
      },
    };
  }),
  {
    name: 'networks with branches are validated, every kind of layer by a plain kernel',
    async run(gpu) {
      const notes: string[] = [];
      for (const name of ['mobile', 'residual', 'dense', 'gates', 'pools'] as const) {
        const model = smallGraph(name);
        const explainer = await createExplainer({ model, device: gpu.device });
        try {
          const { width, height } = model.manifest.input;
          const { passes } = await explainer.explain(smallImage(width, height), { validate: true });
          notes.push(`${name}: ${passes.forward} passes`);
        } finally {
          explainer.dispose();
        }
      }
      return notes.join(', ');
    },
  },
  {
    name: 'weights that change on the GPU are noticed',
    async run(gpu) {
      const explainer = await createExplainer({ model: smallModel(), device: gpu.device });
      try {
        const { runner } = explainer as unknown as { runner: Runner };
        const submit = runner.gpu.submit.bind(runner.gpu);
        runner.gpu.submit = async (label, ...rest) => {
          const step = runner.plan.steps.find(({ name }) => name === 'fc3');
          if (label === 'plain fc3' && step?.kind === 'linear') {
            const [shard] = runner.weights.linear(step).shards;
            runner.gpu.write(shard?.weights.buffer as GPUBuffer, new Float32Array(6).fill(1.5));
          }
          return submit(label, ...rest);
        };
        return await wrongScores(explainer);
      } finally {
        explainer.dispose();
      }
    },
  },
  {
    name: 'a convolution that computes wrong is noticed, with mask, class, values and adapter',
    run: () =>
      withBrokenKernel(
        /^(masked_)?conv_(registers|workgroup)/,
        /max\((\w+), ?vec4f\(0\)\)/g,
        'max($1, vec4f(0.01))',
        async (explainer) => {
          const message = await wrongScores(explainer);
          const { adapter } = explainer;
          for (const part of [
            /under mask \d, of map \d, class \d \("thing \d"\) has the logit -?[\d.]+, by plain kernels -?[\d.]+; /,
            /[\d.e-]+ apart are allowed \(0\.0001 of the largest logit\)/,
          ]) {
            if (!part.test(message)) throw new Error(`${part} is not in: ${message}`);
          }
          if (!message.includes(adapter.description || adapter.vendor)) throw new Error(message);
          return message;
        },
      ),
  },
  {
    name: 'a fully connected layer that computes wrong is noticed',
    run: () =>
      withBrokenKernel(
        /^linear_(registers|quads|workgroup)/,
        /affine\[(\w+)\]\.x/g,
        '1.001 * affine[$1].x',
        wrongScores,
      ),
  },
  {
    name: 'a softmax that computes wrong is noticed',
    run: () => withBrokenKernel(/^softmax/, /exp\(/g, 'exp2(', wrongScores),
  },
  {
    name: 'without validation nothing is run again',
    run: () =>
      withBrokenKernel(/^softmax/, /exp\(/g, 'exp2(', async (explainer) => {
        const { scores } = await explainer.explain(smallImage());
        return `${scores.length} scores`;
      }),
  },
];
