import { normalise, prepareImage } from '../../src/explain/image';
import { saliencyMap } from '../../src/explain/saliency';
import { LocalExplainer } from '../../src/explainer';
import { Arena } from '../../src/gpu/arena';
import { createExplainer } from '../../src/index';
import { seededVgg } from '../../src/model/seeded-vgg';
import { compile } from '../../src/plan/compile';
import { gradients, runTaped } from '../../src/runtime/backward';
import { NetworkWeights } from '../../src/runtime/network-weights';
import { Runner } from '../../src/runtime/runner';
import type { GpuCase } from '../harness/case';
import { assertClose } from '../harness/compare';
import { checkFamily, GOLDEN_FAMILY, type GoldenName } from '../harness/golden-family';
import { checkRoad } from '../harness/golden-road';
import {
  type LayerGolden,
  sharedF32,
  sharedImage,
  sharedJson,
  type VggGolden,
} from '../harness/shared';

const GOLDEN = 'golden/vgg16-seed1/';

const golden = (url: string): Promise<VggGolden> => sharedJson(url, `${GOLDEN}golden.json`);

/** Largest error as a share of the largest expected value: what "relative" means in this file. */
function relative(what: string, actual: Float32Array, expected: ArrayLike<number>, limit: number) {
  const largest = Array.from(expected).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return assertClose(what, actual, expected, limit * largest);
}

function checkLayer(name: string, values: Float32Array, expected: LayerGolden): void {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance =
    values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
  relative(
    `${name}: mean, std, max`,
    Float32Array.of(
      mean,
      Math.sqrt(variance),
      values.reduce((a, b) => Math.max(a, b)),
    ),
    [expected.mean, expected.std, expected.max],
    1e-4,
  );
  assertClose(
    `${name}: samples`,
    expected.samples.map(([index]) => values[index] as number),
    expected.samples.map(([, value]) => value),
    1e-4 * expected.max,
  );
}

/** Which take minutes on a software adapter. */
const COSTLY: readonly GoldenName[] = ['fullgrad', 'ablationcam'];

function familyCase(what: string, names: readonly GoldenName[], slow?: string): GpuCase {
  return {
    name: `pytorch-grad-cam's maps ${what}`,
    needsShared: true,
    ...(slow === undefined ? {} : { slow }),
    async run(gpu, { sharedUrl }) {
      const { manifest, network, weights } = seededVgg(16, 1);
      const plan = compile(network, gpu.facts);
      const runner = new Runner(gpu, plan, await NetworkWeights.load(gpu, plan, weights));
      const image = await sharedImage(sharedUrl, `${GOLDEN}image.png`);
      const golden = { url: sharedUrl, folder: GOLDEN, classes: [303, 617] };
      return checkFamily(runner, manifest, image, golden, names);
    },
  };
}

/** What ROAD's noise may make of a probability's change here. */
const ROAD_NOISE = 0.02;

export const cases: GpuCase[] = [
  {
    name: "pytorch-grad-cam's ROAD of its Grad-CAM maps, 12 seeds",
    needsShared: true,
    slow: '200 passes of VGG-16 on imputed images',
    async run(gpu, { sharedUrl }) {
      const explainer = await createExplainer({ model: 'vgg16-seeded-1', device: gpu.device });
      try {
        const image = await sharedImage(sharedUrl, `${GOLDEN}image.png`);
        const golden = { url: sharedUrl, folder: GOLDEN, allowed: ROAD_NOISE };
        return await checkRoad(explainer, image, golden, ['gradcam/303', 'gradcam/617'], 12);
      } finally {
        explainer.dispose();
      }
    },
  },
  {
    name: 'every layer of the forward pass, and the logits',
    needsShared: true,
    async run(gpu, { sharedUrl }) {
      const expected = await golden(sharedUrl);
      const { manifest, network, weights } = seededVgg(16, 1);
      const plan = compile(network, gpu.facts);
      const loaded = await NetworkWeights.load(gpu, plan, weights);
      const runner = new Runner(gpu, plan, loaded);
      const image = await sharedImage(sharedUrl, `${GOLDEN}image.png`);
      const pixels = await prepareImage(image, manifest.input);
      const arena = new Arena(gpu);
      const names = Object.keys(expected.layers);
      const input = arena.upload('image', normalise(pixels, manifest));
      const { logits, kept } = await runner.forward(input, arena, { keep: names });
      for (const name of names) {
        const slice = kept.get(name);
        if (!slice) throw new Error(`layer ${name} was not kept`);
        const values = await gpu.read(slice.buffer, (slice.size as number) / 4);
        checkLayer(name, values, expected.layers[name] as LayerGolden);
      }
      return relative('logits', logits, expected.logits, 1e-4);
    },
  },
  {
    name: 'explain: top five, constant channels, masked logits of two channels and a constant one',
    needsShared: true,
    async run(gpu, { sharedUrl }) {
      const expected = await golden(sharedUrl);
      const explainer = await createExplainer({ model: 'vgg16-seeded-1', device: gpu.device });
      try {
        const explanation = await explainer.explain(
          await sharedImage(sharedUrl, `${GOLDEN}image.png`),
          { channels: [0, 1, 3] },
        );
        const { top, constantChannels, channels, scores } = explanation;
        const indices = top.map(({ index }) => index).join();
        if (indices !== expected.top5.map(([index]) => index).join()) {
          throw new Error(`top five ${indices}`);
        }
        assertClose(
          'top five',
          top.map(({ probability }) => probability),
          expected.top5.map(([, probability]) => probability),
          1e-4,
        );
        if (constantChannels.join() !== expected.constant_channels.join()) {
          throw new Error(`constant channels ${constantChannels.join()}`);
        }
        if (channels.evaluated !== 2 || channels.constant !== 105 || channels.total !== 512) {
          throw new Error(`channel counts ${JSON.stringify(channels)}`);
        }
        const masked = await sharedF32(sharedUrl, `${GOLDEN}masked_logits.f32`);
        if (!scores.subarray(2000, 4000).every(Number.isNaN)) throw new Error('rows 2, 3 not NaN');
        return relative('masked logits', scores.subarray(0, 2000), masked.subarray(0, 2000), 1e-4);
      } finally {
        explainer.dispose();
      }
    },
  },
  ...['303', '617'].map(
    (classIndex): GpuCase => ({
      name: `the official map of class ${classIndex} from the golden scores`,
      needsShared: true,
      async run(gpu, { sharedUrl }) {
        const { classes } = await golden(sharedUrl);
        const probabilities = classes[classIndex]?.masked_prob ?? [];
        const weights = Float32Array.from(probabilities, (value) => value ?? 0);
        const data = await sharedF32(sharedUrl, `${GOLDEN}conv5_3.f32`);
        const maps = { data, count: 512, height: 14, width: 14 };
        const map = await saliencyMap(gpu, maps, weights, 224, 224);
        if (map.flat) throw new Error('the map is flat');
        const official = `${GOLDEN}class${classIndex}-scorecam-official.f32`;
        return assertClose('map', map.data, await sharedF32(sharedUrl, official), 1e-4);
      },
    }),
  ),
  ...(['probability', 'softmax-logit'] as const).map(
    (weighting): GpuCase => ({
      name: `Score-CAM end to end, ${weighting}: the golden maps of both classes`,
      needsShared: true,
      slow: '407 masked passes of VGG-16',
      async run(gpu, { sharedUrl }) {
        const explainer = await createExplainer({ model: 'vgg16-seeded-1', device: gpu.device });
        try {
          const image = await sharedImage(sharedUrl, `${GOLDEN}image.png`);
          const first = await explainer.explain(image, { weighting, class: 303 });
          if (first.passes.forward !== 408) throw new Error(`${first.passes.forward} passes`);
          const source = weighting === 'probability' ? 'official' : 'pgc';
          const notes: string[] = [];
          for (const { map, class: asked, scores } of [first, await first.forClass(617)]) {
            const path = `${GOLDEN}class${asked.index}-scorecam-${source}.f32`;
            const expected = await sharedF32(sharedUrl, path);
            notes.push(assertClose(`map ${asked.index}`, map.data, expected, 2e-3));
            if (weighting === 'softmax-logit' || asked.index !== 303) continue;
            // NaN in both where a channel is constant.
            const golden = await sharedF32(sharedUrl, `${GOLDEN}masked_logits.f32`);
            const known = golden.map((value) => (Number.isNaN(value) ? 0 : value));
            const found = scores.map((value) => (Number.isNaN(value) ? 0 : value));
            notes.push(relative('masked logits', found, known, 1e-4));
          }
          return notes.join('; ');
        } finally {
          explainer.dispose();
        }
      },
    }),
  ),
  {
    name: "gradients, Grad-CAM's weights, and pytorch-grad-cam's maps of it",
    needsShared: true,
    async run(gpu, { sharedUrl }) {
      const { classes } = await golden(sharedUrl);
      const { manifest, network, weights } = seededVgg(16, 1);
      const plan = compile(network, gpu.facts);
      const loaded = await NetworkWeights.load(gpu, plan, weights);
      const facts = { dtype: 'f32', bytes: 0, fromCache: false, notKept: undefined } as const;
      const runner = new Runner(gpu, plan, loaded);
      const explainer = new LocalExplainer({ manifest, network }, runner, facts, 2 ** 28);
      const image = await sharedImage(sharedUrl, `${GOLDEN}image.png`);
      const input = new Arena(gpu).upload(
        'image',
        normalise(await prepareImage(image, manifest.input), manifest),
      );
      const targets = ['conv5_3'];
      const tape = await runTaped(runner, input, targets);
      const notes: string[] = [];
      for (const index of ['303', '617']) {
        const score = { question: [[Number(index), 1]], of: 'logit' } as const;
        const found = (await gradients(runner, tape, targets, score)).get('conv5_3');
        const expected = await sharedF32(sharedUrl, `${GOLDEN}class${index}-gradient.f32`);
        notes.push(relative(`gradient ${index}`, found ?? new Float32Array(0), expected, 1e-3));
      }
      for (const [of, member] of [
        ['logit', 'gradcam_alpha'],
        ['probability', 'gradcam_alpha_of_probability'],
      ] as const) {
        const first = await explainer.explain(image, { method: 'grad-cam', of, class: 303 });
        for (const { class: asked, map, weights: alpha } of [first, await first.forClass(617)]) {
          const what = `grad-cam of ${of}, ${asked.index}`;
          notes.push(relative(what, alpha, classes[asked.index]?.[member] ?? [], 1e-3));
          if (of === 'probability') continue;
          const path = `${GOLDEN}class${asked.index}-gradcam-pgc.f32`;
          notes.push(assertClose(what, map.data, await sharedF32(sharedUrl, path), 2e-3));
        }
      }
      return notes.join('; ');
    },
  },
  familyCase(
    'of the family, from one forward pass',
    (Object.keys(GOLDEN_FAMILY) as GoldenName[]).filter((name) => !COSTLY.includes(name)),
  ),
  familyCase(
    'of FullGrad and Ablation-CAM',
    COSTLY,
    'two ways back to the image and 512 ways from conv5_3',
  ),
];
