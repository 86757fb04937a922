import { normalise } from '../../src/explain/image';
import { Arena } from '../../src/gpu/arena';
import { requestAdapter } from '../../src/gpu/gpu';
import { type ConvTuning, createExplainer, type Explanation, type Progress } from '../../src/index';
import type { Model } from '../../src/model/model';
import { compile } from '../../src/plan/compile';
import { convDevice } from '../../src/plan/device';
import { NetworkWeights } from '../../src/runtime/network-weights';
import { Runner } from '../../src/runtime/runner';
import type { GpuCase } from '../harness/case';
import { assertClose } from '../harness/compare';
import { expectError, expectSame } from '../harness/expect';
import { smallImage, smallLayers, smallModel } from '../harness/small-model';
import { withExplainer } from '../harness/with-explainer';
import { forwardReference, scoreCamReference } from '../reference/score_cam';

/**
 * f32 against f64 through a whole small network: 5 to 8 layers of at most 84 products a sum, values
 * around 1, so some hundred roundings of 6e-8 each; the normalised map divides by a range of about 0.3.
 */
const NETWORK_TOLERANCE = 1e-4;

/** Every bit of the values, NaN included. */
function bits(values: Float32Array): string {
  return new Uint32Array(values.buffer, values.byteOffset, values.length).join();
}

async function checkAgainstReference(
  model: Model,
  first: Explanation,
  layer: string,
): Promise<string> {
  const input = normalise(first.image, model.manifest);
  const expected = await scoreCamReference(model.network, model.weights, input, layer);
  expectSame('constant channels', first.constantChannels, expected.constantChannels);
  const classes = model.network.labels.length;
  const notes: string[] = [];
  for (const [k, logits] of expected.scores.entries()) {
    const row = first.scores.subarray(k * classes, (k + 1) * classes);
    if (logits) notes.push(assertClose(`logits of mask ${k}`, row, logits, NETWORK_TOLERANCE));
    else if (!row.every(Number.isNaN)) throw new Error(`row ${k} of a constant map is not NaN`);
  }
  for (const [index, map] of expected.maps.entries()) {
    const explanation = await first.forClass(index);
    assertClose(`weights of class ${index}`, explanation.weights, map.weights, NETWORK_TOLERANCE);
    notes.push(
      assertClose(`map of class ${index}`, explanation.map.data, map.data, NETWORK_TOLERANCE),
    );
    expectSame('flat', explanation.map.flat, map.flat);
    const expectedProbability = expected.probabilities[index] as number;
    assertClose(
      'probability',
      [explanation.class.probability],
      [expectedProbability],
      NETWORK_TOLERANCE,
    );
  }
  return notes.join('; ');
}

/** The channel `k` of conv3 is zero everywhere. */
const deadChannels =
  (...dead: number[]) =>
  (tensor: string, values: Float32Array): void => {
    if (tensor === 'conv3.bias') for (const k of dead) values[k] = -1000;
  };

export const cases: GpuCase[] = [
  ...(
    [
      ['fully connected head, target before pooling', 'vggLike', 'conv3'],
      ['fully connected head, target an early layer', 'vggLike', 'conv1'],
      ['fully connected head, target a pooling', 'vggLike', 'pool1'],
      ['global pooling head', 'poolingHead', 'conv2'],
      ['global pooling head, target the last convolution', 'poolingHead', 'conv3'],
    ] as const
  ).map(
    ([name, layers, layer]): GpuCase => ({
      name: `matches Score-CAM in f64: ${name}`,
      async run(gpu) {
        const change = layers === 'vggLike' ? { change: deadChannels(2, 5) } : {};
        const model = smallModel({ layers: smallLayers[layers], ...change });
        return withExplainer(gpu, model, async (explainer) => {
          const explanation = await explainer.explain(smallImage(), { layer });
          return checkAgainstReference(model, explanation, layer);
        });
      },
    }),
  ),
  {
    name: 'batches do not change the result, bit for bit',
    async run(gpu) {
      const model = smallModel();
      const whole = await withExplainer(gpu, model, (e) => e.explain(smallImage()));
      // conv3 with its scratch for Winograd needs 41520 bytes a mask: one mask at a time
      const single = await withExplainer(gpu, model, (e) => e.explain(smallImage()), 60_000);
      expectSame('scores', [...whole.scores], [...single.scores]);
      expectSame('maps', [...whole.map.data], [...single.map.data]);
      return undefined;
    },
  },
  {
    name: 'the workgroup tilings give the same network as the registers tilings',
    async run(gpu) {
      const model = smallModel();
      const image = normalise(smallImage(), model.manifest);
      const expected = await forwardReference(model.network, model.weights, image);
      const notes: string[] = [];
      for (const tiling of ['registers', 'workgroup'] as const) {
        const arena = new Arena(gpu);
        const plan = compile(model.network, gpu.facts, {
          choose: { conv: () => ({ kind: 'direct', tiling }), linear: () => tiling },
        });
        const weights = await NetworkWeights.load(gpu, plan, model.weights);
        const runner = new Runner(gpu, plan, weights);
        const { logits } = await runner.forward(arena.upload('image', image), arena);
        const reference = expected.get('fc3') ?? [];
        notes.push(assertClose(tiling, logits, reference, NETWORK_TOLERANCE));
        arena.dispose();
        weights.dispose();
      }
      return notes.join('; ');
    },
  },
  {
    name: 'tune measures, tells of it, keeps what it found and takes it again',
    async run(gpu) {
      const model = smallModel();
      const kept = new Map<string, string>();
      const tuningCache = {
        get: (key: string) => kept.get(key),
        put: (key: string, value: string) => void kept.set(key, value),
      };
      const totals: number[] = [];
      const onProgress = ({ phase, total }: Progress) => {
        if (phase === 'tuning') totals.push(total);
      };
      const options = { model, device: gpu.device, tune: true, tuningCache, onProgress };
      const tuned = await createExplainer(options);
      // conv2, 1x1, directly alone, by quads too where there are any; conv3 also by F(4x4).
      const { quads } = convDevice(gpu.facts, 'f32');
      expectSame('candidates', totals[0], quads ? 4 : 3);
      const names = Object.values(tuned.tuning?.layers ?? {}).map(({ measured }) =>
        measured.map(({ method, refused }) => refused ?? method).join(),
      );
      expectSame('methods', names, [
        `direct, registers${quads ? ',direct, quads' : ''}`,
        'direct, registers,F(4x4) f32, registers',
      ]);
      const map = (await tuned.explain(smallImage())).map.data;
      totals.length = 0;
      const again = await createExplainer(options);
      expectSame('measured anew', totals.at(-1), 0);
      expectSame('tunings', JSON.stringify(again.tuning), JSON.stringify(tuned.tuning));
      const { tuning } = tuned;
      const given = await createExplainer({ model, device: gpu.device, tuning });
      expectSame('maps', [...(await given.explain(smallImage())).map.data], [...map]);
      const foreign = await createExplainer({
        model,
        device: gpu.device,
        tuning: { ...(tuning as ConvTuning), adapter: 'another' },
      });
      expectSame('a tuning of another adapter', foreign.tuning, undefined);
      return undefined;
    },
  },
  {
    name: 'f16 is refused where the device has none',
    async run(gpu) {
      // SwiftShader has none; elsewhere the device is made without it.
      const bare = await (await requestAdapter()).requestDevice();
      const options = { model: smallModel(), device: bare, precision: 'f16' } as const;
      await expectError(() => createExplainer(options), 'option', 'needs the feature shader-f16');
      bare.destroy();
      const wrong = { model: smallModel(), device: gpu.device, precision: 'f8' as 'f16' };
      await expectError(() => createExplainer(wrong), 'option', 'precision');
      return undefined;
    },
  },
  {
    name: 'forClass gives what explaining that class gives, without another pass',
    async run(gpu) {
      return withExplainer(gpu, smallModel(), async (explainer) => {
        const passes: number[] = [];
        const onProgress = ({ done }: { done: number }) => passes.push(done);
        const first = await explainer.explain(smallImage(), { class: 0, onProgress });
        expectSame('last progress', passes.at(-1), first.channels.evaluated);
        expectSame(
          'progress rises',
          passes,
          [...passes].sort((a, b) => a - b),
        );
        const before = passes.length;
        const other = await first.forClass('THING 2');
        expectSame('passes', passes.length, before);
        const direct = await explainer.explain(smallImage(), { class: 2 });
        expectSame('maps', [...other.map.data], [...direct.map.data]);
        expectSame('class', other.class.label, 'thing 2');
        return undefined;
      });
    },
  },
  {
    name: 'only the channels asked for are evaluated; the others have NaN scores and weight 0',
    async run(gpu) {
      return withExplainer(gpu, smallModel(), async (explainer) => {
        const all = await explainer.explain(smallImage());
        const alive = [0, 1, 2, 3, 4, 5, 6].filter((k) => !all.constantChannels.includes(k));
        const [a, b] = [alive[0] as number, alive[2] as number];
        const dead = all.constantChannels.slice(0, 1);
        const some = await explainer.explain(smallImage(), { channels: [b, a, b, ...dead] });
        expectSame('evaluated', some.channels.evaluated, 2);
        for (let k = 0; k < 7; k++) {
          const row = [...some.scores.subarray(4 * k, 4 * k + 4)];
          const whole = [...all.scores.subarray(4 * k, 4 * k + 4)];
          if (k === a || k === b) expectSame(`row ${k}`, row, whole);
          else if (!row.every(Number.isNaN) || some.weights[k] !== 0) throw new Error(`row ${k}`);
        }
        return undefined;
      });
    },
  },
  {
    name: 'all channels constant: a flat map of zeros, said so, and never NaN',
    async run(gpu) {
      const model = smallModel({ change: deadChannels(0, 1, 2, 3, 4, 5, 6) });
      return withExplainer(gpu, model, async (explainer) => {
        const { map, channels, weights } = await explainer.explain(smallImage());
        expectSame('flat', map.flat, true);
        expectSame('channels', channels, { total: 7, constant: 7, evaluated: 0 });
        if (![...map.data, ...weights].every((value) => value === 0)) throw new Error('not zero');
        return undefined;
      });
    },
  },
  {
    name: 'weights that overflow are an error, not a map',
    async run(gpu) {
      const model = smallModel({ change: (_, values) => values.fill(1e30) });
      await withExplainer(gpu, model, (explainer) =>
        expectError(
          () => explainer.explain(smallImage()),
          'not-finite',
          'Layer "conv2" overflows for this image',
        ),
      );
      return undefined;
    },
  },
  {
    name: 'weights that are not finite or have another shape are refused',
    async run(gpu) {
      const create = (model: Model) => createExplainer({ model, device: gpu.device });
      const change = (tensor: string, values: Float32Array): void => {
        if (tensor === 'fc1.weight') values[7] = Number.NaN;
      };
      await expectError(
        () => create(smallModel({ change })),
        'weights',
        'tensor "fc1.weight" has NaN at element 7',
      );
      const model = smallModel();
      const tensors = new Map(model.weights.tensors);
      tensors.set('conv1.weight', { shape: [1, 2], dtype: 'F32' });
      const weights = { ...model.weights, tensors };
      await expectError(
        () => create({ ...model, weights }),
        'weights',
        'tensor "conv1.weight" is F32 1x2, layer "conv1" needs 5x3x3x3',
      );
      return undefined;
    },
  },
  {
    name: 'bad options name the value and what there is',
    async run(gpu, { baseUrl }) {
      return withExplainer(gpu, smallModel(), async (explainer) => {
        const image = smallImage();
        const bad = (options: object, message: string) =>
          expectError(() => explainer.explain(image, options), 'option', message);
        await bad({ class: 4 }, 'no class 4: classes are numbered 0 to 3');
        await bad({ class: 'thing' }, 'no class "thing". Close: thing 0, thing 1');
        await bad({ class: 'cat' }, 'no class "cat". Classes: thing 0');
        await bad({ layer: 'fc1' }, 'No activation maps in layer "fc1"');
        await bad({ layer: 'x' }, 'no layer "x" of "small". Layers to choose from: conv1, pool1');
        await bad({ method: 'grad' }, 'no method "grad". Choose from: score-cam');
        await bad({ weighting: 'w' }, 'no weighting "w". Choose from: probability');
        await bad(
          { channels: [7] },
          "no channel 7: the target layer's channels are numbered 0 to 6",
        );
        await bad({ channels: [] }, 'The list of channels is empty');
        const text = new Blob(['no image']);
        await expectError(() => explainer.explain(text), 'image', 'decode');
        await expectError(() => explainer.explain(`${baseUrl}/nowhere.png`), 'image', '404');
        await expectError(
          () => createExplainer({ model: `${baseUrl}/nowhere.json`, device: gpu.device }),
          'weights',
          '404',
        );
        return undefined;
      });
    },
  },
  {
    name: 'abort stops between batches with the given reason and leaves no buffer behind',
    async run(gpu) {
      return withExplainer(
        gpu,
        smallModel(),
        async (explainer) => {
          await explainer.explain(smallImage());
          const before = explainer.memory.bytes;
          const controller = new AbortController();
          let seen = 0;
          const explaining = explainer.explain(smallImage(), {
            signal: controller.signal,
            onProgress: ({ done }) => {
              seen = done;
              if (done >= 2) controller.abort(new Error('enough'));
            },
          });
          const reason = await explaining.then(
            () => 'finished',
            (error: Error) => error.message,
          );
          expectSame('reason', reason, 'enough');
          if (seen >= 7) throw new Error(`went on to mask ${seen}`);
          expectSame('bytes', explainer.memory.bytes, before);
          return undefined;
        },
        60_000,
      );
    },
  },
  {
    name: 'a caller’s device survives dispose; a disposed explainer says so',
    async run(gpu) {
      const explainer = await createExplainer({ model: smallModel(), device: gpu.device });
      const explanation = await explainer.explain(smallImage());
      explainer.dispose();
      explainer.dispose();
      expectSame('bytes', explainer.memory.bytes, 0);
      await expectError(() => explainer.explain(smallImage()), 'disposed', 'disposed of');
      await expectError(() => explanation.forClass(0), 'disposed', 'disposed of');
      const again = await createExplainer({ model: smallModel(), device: gpu.device });
      expectSame(
        'map',
        [...(await again.explain(smallImage())).map.data],
        [...explanation.map.data],
      );
      again.dispose();
      return undefined;
    },
  },
  {
    name: 'two explanations at the same time do not disturb each other',
    async run(gpu) {
      return withExplainer(gpu, smallModel(), async (explainer) => {
        const images = [smallImage(), smallImage(17, 14, 5)] as const;
        const alone = [await explainer.explain(images[0]), await explainer.explain(images[1])];
        const together = await Promise.all(images.map((image) => explainer.explain(image)));
        for (const i of [0, 1]) {
          expectSame(
            `map ${i}`,
            [...(together[i]?.map.data ?? [])],
            [...(alone[i]?.map.data ?? [])],
          );
        }
        return undefined;
      });
    },
  },
  {
    name: 'previews show the most telling maps first, and change nothing',
    async run(gpu) {
      const model = smallModel({ change: deadChannels(2) });
      return withExplainer(gpu, model, async (explainer) => {
        const image = smallImage();
        const plain = await explainer.explain(image, { weighting: 'increase' });
        const previews: Explanation[] = [];
        const last = await explainer.explain(image, {
          weighting: 'increase',
          onPreview: (preview) => previews.push(preview),
        });
        expectSame('result', bits(last.map.data), bits(plain.map.data));
        expectSame('weights', bits(last.weights), bits(plain.weights));
        expectSame('scores', bits(last.scores), bits(plain.scores));
        expectSame('options', last.options, plain.options);
        expectSame(
          'channels of each preview',
          previews.map(({ channels }) => channels),
          [1, 2, 3, 4].map((evaluated) => ({ total: 7, constant: 2, evaluated })),
        );
        // Each is what an explanation of its channels alone is, the most telling ones.
        for (const preview of previews) {
          const top = preview.channels.evaluated;
          const alone = await explainer.explain(image, {
            method: 'faster-score-cam',
            weighting: 'increase',
            top,
          });
          expectSame(`map of ${top} channels`, bits(preview.map.data), bits(alone.map.data));
          expectSame(`passes of ${top} channels`, preview.passes, alone.passes);
        }
        return `${previews.length} previews`;
      });
    },
  },
];
