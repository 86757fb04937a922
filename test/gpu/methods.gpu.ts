import { normalise } from '../../src/explain/image';
import type { Gpu } from '../../src/gpu/gpu';
import { createExplainer, type Explainer, ScoreCamError } from '../../src/index';
import type { ManifestLayer } from '../../src/model/manifest';
import type { Model } from '../../src/model/model';
import type { Network, Shape } from '../../src/model/network';
import type { GpuCase } from '../harness/case';
import { assertClose } from '../harness/compare';
import { smallImage, smallLayers, smallModel } from '../harness/small-model';
import { backwardReference } from '../reference/backward';
import { baselineReference } from '../reference/baseline';
import { camReference } from '../reference/cams';
import { normaliseReference } from '../reference/interpolation';
import { forwardReference, scoreCamReference } from '../reference/score_cam';

/** As in explainer.gpu.ts: some hundred roundings, divided by a map's range of about 0.3. */
const NETWORK_TOLERANCE = 1e-4;

async function withExplainer<T>(
  gpu: Gpu,
  model: Model,
  work: (explainer: Explainer) => Promise<T>,
): Promise<T> {
  const explainer = await createExplainer({ model, device: gpu.device });
  try {
    return await work(explainer);
  } finally {
    explainer.dispose();
  }
}

function expectSame(what: string, actual: unknown, expected: unknown): void {
  const [a, b] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (a !== b) throw new Error(`${what}: got ${a}, expected ${b}`);
}

async function expectRefused(work: () => Promise<unknown>, message: string): Promise<void> {
  const error = await work().then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof ScoreCamError)) throw new Error(`not refused: ${message}; ${error}`);
  expectSame('code', error.code, 'option');
  if (!error.message.includes(message)) throw new Error(`"${error.message}" lacks "${message}"`);
}

/** Channels 2 and 5 of conv3 are zero everywhere. */
const dead = (tensor: string, values: Float32Array): void => {
  if (tensor === 'conv3.bias') for (const k of [2, 5]) values[k] = -1000;
};

/** Small networks with the layer to explain: rectified maps, and maps of either sign. */
const networks = [
  ['vggLike', 'conv3'],
  ['vggLike', 'pool1'],
  ['poolingHead', 'conv2'],
] as const;

const modelOf = (layers: keyof typeof smallLayers): Model =>
  smallModel({ layers: smallLayers[layers], ...(layers === 'vggLike' ? { change: dead } : {}) });

const WEIGHTINGS = ['probability', 'increase', 'softmax-logit', 'softmax-increase'] as const;

/** One network, hence one set of pipelines, for all weightings: compiling is what takes the time. */
const scoreCamCases = networks.map(
  ([layers, layer]): GpuCase => ({
    name: `score-cam's weightings are what f64 says: ${layers} ${layer}`,
    run: (gpu) =>
      withExplainer(gpu, modelOf(layers), async (explainer) => {
        const { network, weights, manifest } = modelOf(layers);
        const notes: string[] = [];
        for (const weighting of WEIGHTINGS) {
          for (const asked of [undefined, true] as const) {
            // Unless asked for, as the library does that the weighting comes from.
            const alignCorners = asked ?? weighting === 'softmax-logit';
            const options = { layer, weighting, alignCorners: asked };
            const first = await explainer.explain(smallImage(), options);
            const input = normalise(first.image, manifest);
            const variant = { weighting, alignCorners };
            const expected = await scoreCamReference(network, weights, input, layer, variant);
            const what = `${weighting}, alignCorners ${asked}`;
            expectSame(`${what}: constant`, first.constantChannels, expected.constantChannels);
            const forward = 1 + first.channels.evaluated + Number(weighting === 'increase');
            expectSame(`${what}: passes`, first.passes, { forward, backward: 0, head: 0 });
            for (const [c, wanted] of expected.maps.entries()) {
              const one = await first.forClass(c);
              expectSame('passes of forClass', one.passes, { forward: 0, backward: 0, head: 0 });
              expectSame('flat', one.map.flat, wanted.flat);
              assertClose(`${what}: weights`, one.weights, wanted.weights, NETWORK_TOLERANCE);
              const note = assertClose(what, one.map.data, wanted.data, 10 * NETWORK_TOLERANCE);
              if (c === 0) notes.push(note);
            }
          }
        }
        return notes.join('; ');
      }),
  }),
);

const GRADIENT_METHODS = [
  'grad-cam',
  'grad-cam++',
  'hires-cam',
  'layer-cam',
  'grad-cam-elementwise',
  'xgrad-cam',
  'refine-cam',
  'eigen-grad-cam',
] as const;

const gradientCases = networks.map(
  ([layers, layer]): GpuCase => ({
    name: `the gradient methods are what f64 says: ${layers} ${layer}`,
    run: (gpu) =>
      withExplainer(gpu, modelOf(layers), async (explainer) => {
        const { network, weights, manifest } = modelOf(layers);
        const { channels: count, height: mapHeight, width: mapWidth } = outputOf(network, layer);
        const size = { count, mapHeight, mapWidth, ...network.input };
        const input = normalise(smallImage(), manifest);
        const maps = (await forwardReference(network, weights, input)).get(layer) ?? [];
        const notes: string[] = [];
        for (const method of GRADIENT_METHODS) {
          for (const of of ['logit', 'probability'] as const) {
            const what = `${method} of ${of}`;
            const first = await explainer.explain(smallImage(), { layer, method, of, class: 1 });
            const other = await first.forClass(0);
            expectSame(`${what}: passes`, first.passes, { forward: 1, backward: 1, head: 0 });
            expectSame(`${what}: passes of forClass`, other.passes, {
              forward: 0,
              backward: 1,
              head: 0,
            });
            expectSame('scores', [first.scores.length, first.channels.evaluated], [0, 0]);
            expectSame('facts', [first.method, first.of, first.weighting], [method, of, undefined]);
            for (const one of [first, other]) {
              const score = { classIndex: one.class.index, of };
              const gradient = await backwardReference(network, weights, layer, maps, score);
              const wanted = camReference(method, maps, gradient, size);
              const largest = Math.max(...wanted.weights.map(Math.abs));
              if (wanted.weights.length > 0 || one.weights.length > 0) {
                const tolerance = NETWORK_TOLERANCE * largest;
                assertClose(`${what}: weights`, one.weights, wanted.weights, tolerance);
              }
              const tolerance = 10 * NETWORK_TOLERANCE;
              expectSame(
                'flat',
                one.map.flat,
                wanted.map.every((value) => value === 0),
              );
              const note = assertClose(what, one.map.data, wanted.map, tolerance);
              if (one === first) notes.push(note);
            }
          }
        }
        for (const of of ['logit', 'probability'] as const) {
          const options = {
            layer,
            method: 'grad-cam',
            of,
            class: 1,
            contrast: 0.6,
            rivals: 1,
          } as const;
          const found = await explainer.explain(smallImage(), options);
          const outputs = await forwardReference(network, weights, input);
          const logits = [...([...outputs.values()].at(-1) as Float64Array)];
          const [rival] = nearestTo(1, logits);
          const [own, other] = await Promise.all(
            [1, rival as number].map((classIndex) =>
              backwardReference(network, weights, layer, maps, { classIndex, of }),
            ),
          );
          const gradient = (own as Float64Array).map((g, i) => g - 0.6 * (other?.[i] as number));
          const wanted = camReference('grad-cam', maps, gradient, size);
          const largest = Math.max(...wanted.weights.map(Math.abs));
          const what = `grad-cam of ${of}, less ${rival}`;
          assertClose(what, found.weights, wanted.weights, NETWORK_TOLERANCE * largest);
          notes.push(assertClose(what, found.map.data, wanted.map, 10 * NETWORK_TOLERANCE));
        }
        const shapley = await explainer.explain(smallImage(), {
          layer,
          method: 'shapley-cam',
          class: 1,
        });
        const gradCam = await explainer.explain(smallImage(), {
          layer,
          method: 'grad-cam',
          class: 1,
        });
        expectSame('shapley-cam', [...shapley.weights], [...gradCam.weights]);
        return notes.join('; ');
      }),
  }),
);

/** The other classes, the one whose logit is nearest first. */
function nearestTo(classIndex: number, logits: readonly number[]): number[] {
  const distance = (c: number): number =>
    Math.abs((logits[c] as number) - (logits[classIndex] as number));
  const others = [...logits.keys()].filter((c) => c !== classIndex);
  return others.sort((a, b) => distance(a) - distance(b));
}

function outputOf(network: Network, name: string): Shape {
  const layer = network.layers.find((candidate) => candidate.name === name);
  if (!layer) throw new Error(`no layer ${name}`);
  return layer.output;
}

const [conv1, conv2, conv3, gap] = smallLayers.poolingHead;
/** Heads for which CAM is defined, with the layer before them. */
const heads = {
  'a 1x1 convolution before the pooling': { layers: smallLayers.poolingHead, target: 'conv2' },
  'the pooling alone': { layers: smallLayers.poolingHead, target: 'conv3' },
  'a linear layer behind the pooling': {
    layers: [
      conv1,
      conv2,
      { ...conv3, activation: 'relu' },
      gap,
      { type: 'linear', name: 'fc', outFeatures: 5, weight: 'fc.weight', bias: 'fc.bias' },
    ] as ManifestLayer[],
    target: 'conv3',
  },
} as const;

/** Selvaraju et al. 2017, section 3.1: Grad-CAM generalises CAM; alpha_k = w_k / pixels. */
const identityCases = Object.entries(heads).map(
  ([name, { layers, target }]): GpuCase => ({
    name: `CAM's weights are Grad-CAM's times the number of pixels: ${name}, every form of weights`,
    async run(gpu) {
      const notes: string[] = [];
      for (const dtype of ['f32', 'f16', 'int8'] as const) {
        const model = smallModel({ layers, targetLayer: target });
        const explainer = await createExplainer({ model, device: gpu.device, dtype });
        try {
          const { height, width } = outputOf(model.network, target);
          const cam = await explainer.explain(smallImage(), { method: 'cam', class: 0 });
          expectSame('passes', cam.passes, { forward: 1, backward: 0, head: 0 });
          const gradCam = await explainer.explain(smallImage(), { method: 'grad-cam', class: 0 });
          for (const c of [0, 2]) {
            const own = await cam.forClass(c);
            expectSame('passes of forClass', own.passes, { forward: 0, backward: 0, head: 0 });
            const scaled = (await gradCam.forClass(c)).weights.map((v) => v * height * width);
            const largest = own.weights.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
            if (!(largest > 0.1)) throw new Error(`weights of ${largest} show nothing`);
            notes.push(assertClose(`${dtype} ${c}`, scaled, own.weights, 1e-5 * largest));
          }
          if (cam.map.flat) throw new Error('the map is flat');
        } finally {
          explainer.dispose();
        }
      }
      return notes.join('; ');
    },
  }),
);

export const cases: GpuCase[] = [
  ...scoreCamCases,
  {
    name: 'increase compares with the baseline asked for',
    run: (gpu) =>
      withExplainer(gpu, smallModel(), async (explainer) => {
        const { network, weights, manifest } = smallModel();
        const notes: string[] = [];
        const seen = new Set<number | undefined>();
        for (const baseline of ['mean', 'black', 'blurred'] as const) {
          const options = { weighting: 'increase', baseline, class: 1 } as const;
          const explanation = await explainer.explain(smallImage(), options);
          const { image } = explanation;
          const variant = {
            weighting: 'increase',
            alignCorners: false,
            baseline: baselineReference(baseline, image, manifest),
          } as const;
          const input = normalise(image, manifest);
          const expected = await scoreCamReference(network, weights, input, 'conv3', variant);
          const wanted = expected.maps[1]?.weights ?? [];
          notes.push(assertClose(baseline, explanation.weights, wanted, NETWORK_TOLERANCE));
          seen.add(wanted[0]);
        }
        expectSame('baselines that differ', seen.size, 3);
        return notes.join('; ');
      }),
  },
  {
    name: 'several layers: the mean of their maps, min-max normalised; numbers run on',
    run: (gpu) =>
      withExplainer(gpu, modelOf('vggLike'), async (explainer) => {
        const layer = ['conv1', 'conv3'];
        const dones: number[] = [];
        const both = await explainer.explain(smallImage(), {
          layer,
          class: 2,
          onProgress: ({ done, total }) => dones.push(done / total),
        });
        const alone = [];
        for (const name of layer) {
          alone.push(await explainer.explain(smallImage(), { layer: name, class: 2 }));
        }
        const [a, b] = alone as [(typeof alone)[0], (typeof alone)[0]];
        for (const [i, one] of alone.entries()) {
          expectSame(`map ${i}`, [...(both.layers[i]?.map.data ?? [])], [...one.map.data]);
        }
        const mean = a.map.data.map((value, i) => (value + (b.map.data[i] as number)) / 2);
        expectSame('layer', both.layer, 'conv1,conv3');
        expectSame('weights', [...both.weights], [...a.weights, ...b.weights]);
        expectSame('scores', [...both.scores], [...a.scores, ...b.scores]);
        expectSame('constant', both.constantChannels, [
          ...a.constantChannels,
          ...b.constantChannels.map((k) => k + 5),
        ]);
        expectSame('total', both.channels.total, 12);
        expectSame('evaluated', both.channels.evaluated, both.passes.forward - 1);
        expectSame('progress ends', dones.at(-1), 1);
        expectSame(
          'progress rises',
          dones,
          [...dones].sort((x, y) => x - y),
        );
        const other = await both.forClass(0);
        expectSame('other class', other.layers.length, 2);
        return assertClose('mean', both.map.data, normaliseReference(mean), 1e-6);
      }),
  },
  {
    name: 'options that do not belong together are refused, and what fits is said',
    run: (gpu) =>
      withExplainer(gpu, smallModel(), async (explainer) => {
        const bad = (options: object, message: string): Promise<void> =>
          expectRefused(() => explainer.explain(smallImage(), options), message);
        const none = 'grad-cam has no use for';
        await bad({ method: 'grad-cam', weighting: 'increase' }, `${none} "weighting"`);
        await bad(
          { method: 'grad-cam', weighting: 'increase' },
          'belongs to score-cam, faster-score-cam. grad-cam',
        );
        await bad({ method: 'grad-cam', alignCorners: true }, `${none} "alignCorners"`);
        await bad({ method: 'grad-cam', channels: [0] }, `${none} "channels"`);
        await bad(
          { method: 'grad-cam', channels: [0] },
          'grad-cam takes "of", "contrast", "rivals"',
        );
        await bad({ method: 'cam', of: 'logit' }, 'belongs to grad-cam, grad-cam++, hires-cam');
        await bad({ method: 'cam', of: 'logit' }, 'cam takes "contrast", "rivals"');
        await bad({ method: 'fem', contrast: 1 }, 'fem takes none of these');
        await bad({ rivals: 2 }, 'give contrast as well, above 0');
        await bad({ of: 'logit' }, 'score-cam has no use for "of"');
        await bad({ method: 'grad-cam', of: 'loss' }, 'no of "loss". Choose from: logit');
        await bad({ baseline: 'black' }, 'use the weighting increase');
        await bad({ weighting: 'increase', baseline: 'grey' }, 'no baseline "grey"');
        await bad({ alignCorners: 1 }, 'alignCorners is 1, must be true or false');
        await bad({ layer: [] }, 'The list of layers is empty');
        await bad({ layer: ['conv1', 'conv1'] }, 'Layer "conv1" is listed twice');
        await bad({ layer: ['conv1', 'nowhere'] }, 'no layer "nowhere"');
        await bad({ layer: ['conv1', 'conv3'], channels: [0] }, 'one layer, and 2 are asked for');
        return undefined;
      }),
  },
  {
    name: 'CAM says where it is not defined, why, and what would fit',
    async run(gpu) {
      await withExplainer(gpu, smallModel(), async (explainer) => {
        const work = () => explainer.explain(smallImage(), { method: 'cam' });
        await expectRefused(
          work,
          'Behind "conv3" of "small" come pool3 (maxpool), fc1 (linear), fc2',
        );
        await expectRefused(work, 'No layer of this network fits: use grad-cam or score-cam.');
      });
      const model = smallModel({ layers: smallLayers.poolingHead, targetLayer: 'conv1' });
      await withExplainer(gpu, model, async (explainer) => {
        const work = () => explainer.explain(smallImage(), { method: 'cam' });
        await expectRefused(work, 'Layers that fit: conv2, conv3.');
      });
      return undefined;
    },
  },
  ...gradientCases,
  ...identityCases,
];
