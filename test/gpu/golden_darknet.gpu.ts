import type { Gpu } from '../../src/gpu/gpu';
import {
  createExplainer,
  type Explainer,
  type Explanation,
  type Model,
  openModel,
  parseManifest,
} from '../../src/index';
import type { ManifestLayer } from '../../src/model/manifest';
import { compile } from '../../src/plan/compile';
import { NetworkWeights } from '../../src/runtime/network-weights';
import { Runner } from '../../src/runtime/runner';
import type { GpuCase } from '../harness/case';
import { assertClose } from '../harness/compare';
import { checkFamily, GOLDEN_FAMILY, type GoldenName } from '../harness/golden-family';
import { checkRoad } from '../harness/golden-road';
import { type DarknetGolden, sharedF32, sharedImage, sharedJson } from '../harness/shared';
import { normaliseReference, upsampleReference } from '../reference/interpolation';

const GOLDEN = 'golden/tiny-darknet-chelsea/';

/** [outChannels, kernel] of conv1 ... conv16; pooling after conv1, 2, 6 and 10. */
const CONVOLUTIONS: readonly (readonly [number, 1 | 3])[] = [
  [16, 3],
  [32, 3],
  [16, 1],
  [128, 3],
  [16, 1],
  [128, 3],
  [32, 1],
  [256, 3],
  [32, 1],
  [256, 3],
  [64, 1],
  [512, 3],
  [64, 1],
  [512, 3],
  [128, 1],
  [1000, 1],
];
const POOLED = [1, 2, 6, 10];

/** Tiny Darknet's manifest: 1x1 convolutions, leaky ReLU, a global-pooling head. */
export function darknetManifest(labels: readonly string[]) {
  const layers: ManifestLayer[] = CONVOLUTIONS.flatMap(([outChannels, kernel], i) => {
    const name = `conv${i + 1}`;
    const conv: ManifestLayer = {
      type: 'conv',
      name,
      outChannels,
      kernel,
      activation: i < 15 ? { leakyRelu: 0.1 } : undefined,
      weight: `${name}.weight`,
      bias: `${name}.bias`,
    };
    return POOLED.includes(i + 1) ? [conv, { type: 'maxpool', name: `pool${i + 1}` }] : [conv];
  });
  return parseManifest({
    format: 'score-cam-webgpu/model',
    version: 1,
    name: 'tiny-darknet',
    description: 'Tiny Darknet, ImageNet-1k',
    licence: 'MIT',
    input: { width: 224, height: 224, mean: [0, 0, 0], std: [1, 1, 1], resize: 'cover' },
    layers: [...layers, { type: 'globalavgpool', name: 'pool' }],
    targetLayer: 'conv15',
    labels,
    weights: { format: 'safetensors', file: 'tiny_darknet.safetensors' },
  });
}

/** Tiny Darknet with its weights. */
async function loadDarknet(sharedUrl: string): Promise<Model> {
  const folder = `${sharedUrl}models/tiny-darknet/`;
  const labels = await sharedJson<string[]>(folder, 'classes_darknet_order.json');
  return openModel(darknetManifest(labels), new URL(folder));
}

/** The same on the case's device. */
async function openDarknet(gpu: Gpu, sharedUrl: string): Promise<Explainer> {
  return createExplainer({ model: await loadDarknet(sharedUrl), device: gpu.device });
}

/** Each class's map against a golden one. */
async function checkMaps(
  sharedUrl: string,
  explanations: readonly Explanation[],
  golden: string,
): Promise<string[]> {
  const notes: string[] = [];
  for (const { class: asked, map } of explanations) {
    const expected = await sharedF32(sharedUrl, `${GOLDEN}class${asked.index}-${golden}.f32`);
    notes.push(assertClose(`${golden} map ${asked.index}`, map.data, expected, 2e-3));
  }
  return notes;
}

function roadCase(what: string, names: readonly string[], seeds: number, slow?: string): GpuCase {
  return {
    name: `pytorch-grad-cam's ROAD of its ${what}`,
    needsShared: true,
    ...(slow === undefined ? {} : { slow }),
    async run(gpu, { sharedUrl }) {
      const explainer = await openDarknet(gpu, sharedUrl);
      try {
        const image = await sharedImage(sharedUrl, `${GOLDEN}image-224.png`);
        const golden = { url: sharedUrl, folder: GOLDEN, allowed: ROAD_NOISE };
        return await checkRoad(explainer, image, golden, names, seeds);
      } finally {
        explainer.dispose();
      }
    },
  };
}

/** What ROAD's noise may make of a probability's change here (docs/metrics.md). */
const ROAD_NOISE = 0.04;

export const cases: GpuCase[] = [
  roadCase('Grad-CAM map of the second class', ['gradcam/173'], 1),
  roadCase(
    'Grad-CAM and Score-CAM maps of both classes, 12 seeds',
    ['gradcam/7', 'gradcam/173', 'scorecam/7', 'scorecam/173'],
    12,
    '400 passes of Tiny Darknet on imputed images',
  ),
  {
    name: 'top five and the official Score-CAM maps of both classes, end to end',
    needsShared: true,
    slow: 'all masked passes of Tiny Darknet',
    async run(gpu, { sharedUrl }) {
      const expected = await sharedJson<DarknetGolden>(sharedUrl, `${GOLDEN}golden.json`);
      const explainer = await openDarknet(gpu, sharedUrl);
      try {
        const passes: string[] = [];
        const cat = await explainer.explain(
          await sharedImage(sharedUrl, `${GOLDEN}image-224.png`),
          {
            class: 7,
            onProgress: ({ done, total }) => passes.push(`${done}/${total}`),
          },
        );
        if (passes.at(-1) !== '128/128') throw new Error(`progress ended at ${passes.at(-1)}`);
        const indices = cat.top.map(({ index }) => index).join();
        if (indices !== expected.top5.map(([index]) => index).join()) {
          throw new Error(`top five ${indices}`);
        }
        const notes = [
          assertClose(
            'top five',
            cat.top.map(({ probability }) => probability),
            expected.top5.map(([, , probability]) => probability),
            1e-3,
          ),
        ];
        for (const explanation of [cat, await cat.forClass(173)]) {
          const { index } = explanation.class;
          notes.push(
            assertClose(
              `weights ${index}`,
              explanation.weights,
              expected.classes[index]?.masked_prob ?? [],
              1e-3,
            ),
            ...(await checkMaps(sharedUrl, [explanation], 'scorecam-official')),
          );
        }
        return notes.join('; ');
      } finally {
        explainer.dispose();
      }
    },
  },
  {
    name: "pytorch-grad-cam's Score-CAM maps of both classes, end to end: softmax-logit",
    needsShared: true,
    slow: 'all masked passes of Tiny Darknet, once more',
    async run(gpu, { sharedUrl }) {
      const explainer = await openDarknet(gpu, sharedUrl);
      try {
        const image = await sharedImage(sharedUrl, `${GOLDEN}image-224.png`);
        const cat = await explainer.explain(image, { class: 7, weighting: 'softmax-logit' });
        return (await checkMaps(sharedUrl, [cat, await cat.forClass(173)], 'scorecam-pgc')).join(
          '; ',
        );
      } finally {
        explainer.dispose();
      }
    },
  },
  {
    name: 'Grad-CAM and CAM of both classes',
    needsShared: true,
    async run(gpu, { sharedUrl }) {
      const explainer = await openDarknet(gpu, sharedUrl);
      try {
        const image = await sharedImage(sharedUrl, `${GOLDEN}image-224.png`);
        const notes: string[] = [];
        const cat = await explainer.explain(image, { class: 7, method: 'grad-cam' });
        notes.push(...(await checkMaps(sharedUrl, [cat, await cat.forClass(173)], 'gradcam-pgc')));
        const size = { mapHeight: 14, mapWidth: 14, height: 224, width: 224, alignCorners: false };
        // The class's own map is the last convolution's; from conv15 it is that but for the bias.
        for (const layer of ['conv15', 'conv16']) {
          const first = await explainer.explain(image, { class: 7, method: 'cam', layer });
          for (const { class: asked, map } of [first, await first.forClass(173)]) {
            const low = await sharedF32(sharedUrl, `${GOLDEN}class${asked.index}-cam-14x14.f32`);
            const expected = normaliseReference(upsampleReference(low, size));
            const what = `CAM from ${layer}, ${asked.index}`;
            notes.push(assertClose(what, map.data, expected, 2e-3));
          }
        }
        return notes.join('; ');
      } finally {
        explainer.dispose();
      }
    },
  },
  {
    name: "pytorch-grad-cam's maps of the family, from one forward pass",
    needsShared: true,
    async run(gpu, { sharedUrl }) {
      const { manifest, network, weights } = await loadDarknet(sharedUrl);
      const plan = compile(network, gpu.facts);
      const runner = new Runner(gpu, plan, await NetworkWeights.load(gpu, plan, weights));
      const image = await sharedImage(sharedUrl, `${GOLDEN}image-224.png`);
      const golden = { url: sharedUrl, folder: GOLDEN, classes: [7, 173] };
      // Of maps with negative values, as behind this leaky ReLU, that library takes none away by setting it to zero, but to
      // its minimum less 1e7, each in a batch lower than the one before. Of the others there are no files.
      const left: readonly GoldenName[] = ['ablationcam', 'gradcampp', 'hirescam', 'layercam'];
      const all = Object.keys(GOLDEN_FAMILY) as GoldenName[];
      const names = all.filter((name) => !left.includes(name));
      return checkFamily(runner, manifest, image, golden, names);
    },
  },
];
