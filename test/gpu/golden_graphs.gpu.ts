import { normalise, prepareImage } from '../../src/explain/image';
import type { Gpu } from '../../src/gpu/gpu';
import type { Slice } from '../../src/gpu/kernel';
import {
  createExplainer,
  type Explainer,
  type Explanation,
  loadModel,
  type Model,
} from '../../src/index';
import { isWeighted, type Layer, sizeOf } from '../../src/model/network';
import { NO_ACTIVATION } from '../../src/numbers/activation';
import type { GpuCase } from '../harness/case';
import { assertClose } from '../harness/compare';
import { running } from '../harness/graph-checks';
import { openMobileNet } from '../harness/mobilenet';
import { type LayerGolden, sharedF32, sharedImage, sharedJson } from '../harness/shared';

/*
 * Networks with branches against PyTorch: torchvision's with generated weights, and a trained MobileNet v1.
 */

interface ClassGolden {
  readonly prob: number;
  readonly masked_prob: readonly (number | null)[];
  readonly gradcam_alpha: readonly number[];
}

interface Golden {
  readonly logits: readonly number[];
  readonly constant_channels: readonly number[];
  readonly classes: Readonly<Record<string, ClassGolden>>;
}

interface Stage extends LayerGolden {
  readonly name: string;
  readonly op: string;
  readonly inputs: readonly string[];
}

interface GraphGolden extends Golden {
  readonly stages: readonly Stage[];
}

/** As for VGG-16. */
const TOLERANCE = 1e-4;
const MAP_TOLERANCE = 2e-3;

const NETWORKS = ['resnet18', 'mobilenet_v2', 'squeezenet1_1', 'densenet121'] as const;

const largestOf = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((most, value) => Math.max(most, Math.abs(value)), 0);

const scaled = (what: string, actual: ArrayLike<number>, expected: ArrayLike<number>): string =>
  assertClose(what, actual, expected, TOLERANCE * largestOf(expected));

async function imageOf(model: Model, url: string): Promise<Float32Array<ArrayBuffer>> {
  const pixels = await prepareImage(await sharedImage(url, ''), model.manifest.input);
  return Float32Array.from(normalise(pixels, model.manifest));
}

/** The stage of PyTorch's graph that gives what a layer gives, normalised and activated where the layer is. */
function stageOf(layer: Layer, stages: readonly Stage[]): Stage | undefined {
  const named = (name: string): Stage | undefined => stages.find((stage) => stage.name === name);
  if (layer.type === 'concat' && !named(`${layer.name}.cat`) && layer.name.endsWith('.cat')) {
    // DenseNet's are called there by who reads them, here by what comes to them.
    const block = layer.name.split('.denselayer')[0] as string;
    return stages.find(
      ({ name, op, shape }) =>
        op === 'concat' && name.startsWith(block) && shape[0] === layer.output.channels,
    );
  }
  let stage = named(layer.name) ?? named(`${layer.name}.add`) ?? named(`${layer.name}.concat`);
  const follow = (ops: readonly string[]): void => {
    const next = stages.find(({ inputs, op }) => inputs[0] === stage?.name && ops.includes(op));
    stage = next ?? stage;
  };
  if (isWeighted(layer) && layer.reads?.batchNorm && layer.reads.weight) follow(['batch_norm']);
  if ('activation' in layer && layer.activation !== NO_ACTIVATION) follow(['relu', 'relu6']);
  return stage;
}

function checkLayer(name: string, values: Float32Array, expected: LayerGolden): void {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const allowed = TOLERANCE * Math.max(expected.std, Math.abs(expected.mean));
  assertClose(`${name}: mean`, [mean], [expected.mean], allowed);
  assertClose(
    `${name}: samples`,
    expected.samples.map(([index]) => values[index] as number),
    expected.samples.map(([, value]) => value),
    TOLERANCE * Math.max(expected.max, expected.std),
  );
}

/** Rows of constant channels are NaN in both, if nowhere else. */
function sameScores(what: string, actual: Float32Array, expected: Float32Array): string {
  const clean = (values: Float32Array) => values.map((value) => (Number.isNaN(value) ? 0 : value));
  actual.forEach((value, i) => {
    if (Number.isNaN(value) !== Number.isNaN(expected[i])) throw new Error(`${what}: NaN at ${i}`);
  });
  return scaled(what, clean(actual), clean(expected));
}

/** What pytorch-grad-cam's and the official code's maps say of both classes. */
async function checkMaps(
  sharedUrl: string,
  folder: string,
  first: Explanation,
  classes: readonly string[],
  kind: string,
): Promise<string[]> {
  const notes: string[] = [];
  for (const index of classes) {
    const { map } =
      first.class.index === Number(index) ? first : await first.forClass(Number(index));
    const expected = await sharedF32(sharedUrl, `${folder}class${index}-${kind}.f32`);
    notes.push(assertClose(`${kind} map ${index}`, map.data, expected, MAP_TOLERANCE));
  }
  return notes;
}

const graphCases = NETWORKS.flatMap((name): GpuCase[] => {
  const folder = `golden/${name}-seed1/`;
  const model = `${name}-seeded-1`;
  return [
    {
      name: `${name}: every layer of the forward pass, and the logits`,
      needsShared: true,
      async run(gpu, { sharedUrl }) {
        const expected = await sharedJson<GraphGolden>(sharedUrl, `${folder}golden.json`);
        const own = await loadModel(model);
        return running(gpu, own, {}, async (runner, arena) => {
          const image = await imageOf(own, `${sharedUrl}${folder}image.png`);
          const input = arena.upload('image', image);
          const { layers } = own.network;
          const known = layers.flatMap((layer) => {
            const stage = stageOf(layer, expected.stages);
            return stage ? [{ layer, stage }] : [];
          });
          if (known.length < 0.7 * layers.length) {
            throw new Error(`${known.length} of ${layers.length} layers are known`);
          }
          const names = known.map(({ layer }) => layer.name);
          const { kept } = await runner.forward(input, arena, { keep: names });
          for (const { layer, stage } of known) {
            const { buffer } = kept.get(layer.name) as Slice;
            checkLayer(layer.name, await gpu.read(buffer, sizeOf(layer.output)), stage);
          }
          // As it is when nothing is kept: fused, and concatenated in place.
          const { logits } = await runner.forward(input, arena);
          return `${known.length} of ${layers.length} layers; ${scaled('logits', logits, expected.logits)}`;
        });
      },
    },
    {
      name: `${name}: the target layer's maps, and Grad-CAM's by pytorch-grad-cam`,
      needsShared: true,
      async run(gpu, { sharedUrl }) {
        const expected = await sharedJson<GraphGolden>(sharedUrl, `${folder}golden.json`);
        const explainer = await createExplainer({ model, device: gpu.device });
        try {
          const image = await sharedImage(sharedUrl, `${folder}image.png`);
          const [first = '', ...others] = Object.keys(expected.classes);
          const explanation = await explainer.explain(image, {
            method: 'grad-cam',
            class: Number(first),
          });
          const notes = [
            scaled(
              "Grad-CAM's weights",
              explanation.weights,
              expected.classes[first]?.gradcam_alpha ?? [],
            ),
          ];
          const classes = [first, ...others];
          notes.push(...(await checkMaps(sharedUrl, folder, explanation, classes, 'gradcam-pgc')));
          return notes.join('; ');
        } finally {
          explainer.dispose();
        }
      },
    },
    {
      name: `${name}: masked logits of the first 64 channels, and the official maps from them`,
      needsShared: true,
      slow: '64 masked passes at 224x224',
      async run(gpu, { sharedUrl }) {
        const expected = await sharedJson<GraphGolden>(sharedUrl, `${folder}golden.json`);
        const explainer = await createExplainer({ model, device: gpu.device });
        try {
          const image = await sharedImage(sharedUrl, `${folder}image.png`);
          const classes = Object.keys(expected.classes);
          const explanation = await explainer.explain(image, {
            class: Number(classes[0]),
            channels: Array.from({ length: 64 }, (_, k) => k),
          });
          const { constantChannels, scores } = explanation;
          if (constantChannels.join() !== expected.constant_channels.join()) {
            throw new Error(`constant channels ${constantChannels.join()}`);
          }
          const golden = await sharedF32(sharedUrl, `${folder}masked_logits_64.f32`);
          const notes = [sameScores('masked logits', scores.subarray(0, 64_000), golden)];
          notes.push(
            ...(await checkMaps(sharedUrl, folder, explanation, classes, 'scorecam-official-64')),
          );
          return notes.join('; ');
        } finally {
          explainer.dispose();
        }
      },
    },
  ];
});

const MOBILENET = 'golden/mobilenet-chelsea/';

interface MobileNetGolden extends Golden {
  readonly layers: Readonly<Record<string, LayerGolden>>;
  readonly top5: readonly (readonly [number, string, number])[];
}

const mobilenetCases: GpuCase[] = [
  {
    name: 'MobileNet v1: every layer, the logits and the top five',
    needsShared: true,
    async run(gpu, { sharedUrl }) {
      const expected = await sharedJson<MobileNetGolden>(sharedUrl, `${MOBILENET}golden.json`);
      const model = await openMobileNet(sharedUrl);
      return running(gpu, model, {}, async (runner, arena) => {
        const image = await imageOf(model, `${sharedUrl}${MOBILENET}image-192.png`);
        const names = Object.keys(expected.layers);
        const input = arena.upload('image', image);
        const { kept } = await runner.forward(input, arena, { keep: names });
        for (const name of names) {
          const layer = model.network.layers.find((one) => one.name === name) as Layer;
          const { buffer } = kept.get(name) as Slice;
          const values = await gpu.read(buffer, sizeOf(layer.output));
          checkLayer(name, values, expected.layers[name] as LayerGolden);
        }
        const { logits, probabilities } = await runner.forward(input, arena);
        for (const [index, , probability] of expected.top5) {
          assertClose(`class ${index}`, [probabilities[index] as number], [probability], 1e-3);
        }
        return scaled('logits', logits, expected.logits);
      });
    },
  },
  {
    name: 'MobileNet v1: masked passes of every 16th channel; Grad-CAM, Grad-CAM++ and LayerCAM of both classes',
    needsShared: true,
    async run(gpu, { sharedUrl }) {
      return explaining(gpu, sharedUrl, async (explainer, image, expected) => {
        const classes = Object.keys(expected.classes);
        const asked = { class: Number(classes[0]) };
        const channels = Array.from({ length: 48 }, (_, i) => 16 * i);
        const score = await explainer.explain(image, { ...asked, channels });
        // Channel 230 is at ReLU6's ceiling everywhere: constant, and not zero.
        if (score.constantChannels.join() !== expected.constant_channels.join()) {
          throw new Error(`constant channels ${score.constantChannels.join()}`);
        }
        const golden = expected.classes[classes[0] as string]?.masked_prob ?? [];
        const pick = (values: ArrayLike<number | null>): number[] =>
          channels.map((k) => values[k] ?? 0);
        const notes = [
          assertClose('masked probabilities', pick(score.weights), pick(golden), TOLERANCE),
        ];
        for (const [method, kind] of [
          ['grad-cam', 'gradcam-pgc'],
          ['grad-cam++', 'gradcampp-pgc'],
          ['layer-cam', 'layercam-pgc'],
        ] as const) {
          const own = await explainer.explain(image, { ...asked, method });
          notes.push(...(await checkMaps(sharedUrl, MOBILENET, own, classes, kind)));
        }
        return notes.join('; ');
      });
    },
  },
  ...(['probability', 'softmax-logit'] as const).map(
    (weighting): GpuCase => ({
      name: `MobileNet v1: Score-CAM of both classes end to end, ${weighting}`,
      needsShared: true,
      slow: '596 masked passes of MobileNet v1',
      async run(gpu, { sharedUrl }) {
        return explaining(gpu, sharedUrl, async (explainer, image, expected) => {
          const classes = Object.keys(expected.classes);
          const own = await explainer.explain(image, { class: Number(classes[0]), weighting });
          const kind = weighting === 'probability' ? 'scorecam-official' : 'scorecam-pgc';
          return (await checkMaps(sharedUrl, MOBILENET, own, classes, kind)).join('; ');
        });
      },
    }),
  ),
];

async function explaining(
  gpu: Gpu,
  sharedUrl: string,
  use: (explainer: Explainer, image: ImageData, expected: MobileNetGolden) => Promise<string>,
): Promise<string> {
  const expected = await sharedJson<MobileNetGolden>(sharedUrl, `${MOBILENET}golden.json`);
  const model = await openMobileNet(sharedUrl);
  const explainer = await createExplainer({ model, device: gpu.device });
  try {
    return await use(
      explainer,
      await sharedImage(sharedUrl, `${MOBILENET}image-192.png`),
      expected,
    );
  } finally {
    explainer.dispose();
  }
}

export const cases: GpuCase[] = [...mobilenetCases, ...graphCases];
