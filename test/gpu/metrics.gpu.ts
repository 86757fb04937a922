import { pearson, randomised } from '../../src/evaluation/index';
import { drawSquares } from '../../src/evaluation/infidelity';
import { holeOf, removals } from '../../src/evaluation/road';
import { normalise } from '../../src/explain/image';
import { METHOD_NAMES } from '../../src/explain/methods/registry';
import { imageData } from '../../src/explain/pixels';
import { uniform } from '../../src/explain/random';
import {
  type Box,
  createExplainer,
  type Explainer,
  type Measures,
  type Method,
  type MethodOptions,
  type SaliencyMap,
  ScoreCamError,
} from '../../src/index';
import type { Model } from '../../src/model/model';
import type { GpuCase } from '../harness/case';
import { assertClose } from '../harness/compare';
import { smallImage, smallModel } from '../harness/small-model';
import { baselineReference } from '../reference/baseline';
import { imputedReference } from '../reference/imputation';
import { forwardReference, scoreCamReference } from '../reference/score_cam';

/*
 * A network that looks at nothing but a box: its one map is the mean colour, its logits are GAIN times the mean
 * of the map in the box, and 0. So the probability under any alteration has a closed form.
 */
const WIDTH = 17;
const HEIGHT = 14;
const PIXELS = WIDTH * HEIGHT;
const BOX: Box = { x: 3, y: 4, width: 6, height: 5 };
const ELSEWHERE: Box = { x: 11, y: 1, width: 4, height: 4 };
const GAIN = 1.5;

const inside = ({ x, y, width, height }: Box, pixel: number): boolean => {
  const [column, row] = [pixel % WIDTH, Math.floor(pixel / WIDTH)];
  return column >= x && column < x + width && row >= y && row < y + height;
};
const pixels = Array.from({ length: PIXELS }, (_, i) => i);
const inBox = pixels.filter((i) => inside(BOX, i));

const boxModel = (): Model =>
  smallModel({
    layers: [
      {
        type: 'conv',
        name: 'conv1',
        outChannels: 1,
        kernel: 1,
        activation: 'relu',
        weight: 'conv1.weight',
        bias: 'conv1.bias',
      },
      {
        type: 'linear',
        name: 'fc',
        outFeatures: 2,
        activation: undefined,
        weight: 'fc.weight',
        bias: 'fc.bias',
      },
    ],
    targetLayer: 'conv1',
    change: (tensor, values) => {
      values.fill(0);
      if (tensor === 'conv1.weight') values.fill(1 / 3);
      if (tensor === 'fc.weight') for (const i of inBox) values[i] = GAIN / inBox.length;
    },
  });

/** White in the box, the mean colour around it. */
function boxImage(): ImageData {
  const data = new Uint8ClampedArray(4 * PIXELS);
  for (const i of pixels)
    data.set(inside(BOX, i) ? [255, 255, 255, 255] : [128, 102, 77, 255], 4 * i);
  return imageData({ data, width: WIDTH, height: HEIGHT });
}

function mapOf(value: (pixel: number) => number): SaliencyMap {
  const data = Float32Array.from(pixels, value);
  const flat = data.every((one) => one === data[0]);
  return { width: WIDTH, height: HEIGHT, data: flat ? data.fill(0) : data, flat };
}

const draw = uniform(3);
const noise = pixels.map(() => draw());
const maps = {
  perfect: mapOf((i) => Number(inside(BOX, i))),
  inverted: mapOf((i) => 1 - Number(inside(BOX, i))),
  random: mapOf((i) => noise[i] as number),
  flat: mapOf(() => 0),
};

/** The network, in closed form. */
function probabilityOf(image: ArrayLike<number>): number {
  const mean = (i: number): number =>
    [0, 1, 2].reduce((sum, c) => sum + (image[c * PIXELS + i] as number) / 3, 0);
  const seen = inBox.reduce((sum, i) => sum + Math.max(0, mean(i)), 0) / inBox.length;
  return 1 / (1 + Math.exp(-GAIN * seen));
}

/** The curve of a game, from its definition: stable sort, one image a step. */
function curveOf(
  map: SaliencyMap,
  over: Float32Array,
  under: ArrayLike<number>,
  steps: number,
): number[] {
  const order = pixels.toSorted(
    (a, b) => (map.data[b] as number) - (map.data[a] as number) || a - b,
  );
  return Array.from({ length: steps + 1 }, (_, step) => {
    const shown = new Set(order.slice(0, Math.floor((PIXELS * step) / steps)));
    const image = Float64Array.from(over, (value, i) =>
      shown.has(i % PIXELS) ? value : (under[i] as number),
    );
    return probabilityOf(image);
  });
}

const area = (curve: readonly number[]): number =>
  curve.slice(1).reduce((sum, value, i) => sum + (value + (curve[i] as number)) / 2, 0) /
  (curve.length - 1);

function expectTrue(what: string, holds: boolean): void {
  if (!holds) throw new Error(`${what} does not hold`);
}

const known: GpuCase = {
  name: 'a perfect, an inverted, a random and a flat map measure what they must',
  run: async (gpu) => {
    const model = boxModel();
    const explainer = await createExplainer({ model: boxModel(), device: gpu.device });
    const notes: string[] = [];
    try {
      const image = boxImage();
      const input = normalise(image, model.manifest);
      const whole = probabilityOf(input);
      const blurred = baselineReference(
        'blurred',
        { data: image.data, width: WIDTH, height: HEIGHT },
        model.manifest,
      );
      const found: Record<string, Measures> = {};
      for (const [name, map] of Object.entries(maps)) {
        const subject = { map, class: { index: 0 }, image };
        const metrics = ['confidence', 'insertion', 'deletion', 'pointing', 'sparsity'] as const;
        const steps = 20;
        const options = { metrics, steps, box: BOX, otherBoxes: [ELSEWHERE] };
        const measures = await explainer.measure(subject, options);
        found[name] = measures;
        const under = Float64Array.from(input, (v, i) => v * (map.data[i % PIXELS] as number));
        assertClose(`${name}: whole`, [measures.probability], [whole], 1e-6);
        assertClose(`${name}: masked`, [measures.masked as number], [probabilityOf(under)], 1e-5);
        if (map.flat) continue;
        const insertion = curveOf(map, input, blurred, steps);
        const deletion = curveOf(map, new Float32Array(input.length), input, steps);
        notes.push(
          assertClose(
            `${name}: insertion`,
            measures.insertion?.probabilities ?? [],
            insertion,
            1e-4,
          ),
          assertClose(`${name}: deletion`, measures.deletion?.probabilities ?? [], deletion, 1e-4),
        );
        assertClose(
          `${name}: AUCs`,
          [measures.insertion?.auc as number, measures.deletion?.auc as number],
          [area(insertion), area(deletion)],
          1e-4,
        );
        const passes = 1 + 2 + 2 * (steps + 1);
        expectTrue(`${name}: ${measures.passes} passes`, measures.passes === passes);
      }
      const { perfect, inverted, random, flat } = found as Record<keyof typeof maps, Measures>;
      // By hand: all of the object is left under its own map, nothing under the inverted one.
      assertClose(
        'perfect: masked, muted',
        [perfect.masked as number, perfect.muted as number],
        [whole, whole],
        1e-6,
      );
      assertClose(
        'inverted: masked, muted',
        [inverted.masked as number, inverted.muted as number],
        [0.5, 0.5],
        1e-6,
      );
      assertClose('energy', [perfect.energy as number, inverted.energy as number], [1, 0], 0);
      const share = (ELSEWHERE.width * ELSEWHERE.height) / (PIXELS - inBox.length);
      assertClose('energy elsewhere', [inverted.energyElsewhere as number], [share], 1e-6);
      expectTrue('hits', perfect.hit === true && inverted.hit === false);
      assertClose('sparsity', [perfect.sparsity as number], [PIXELS / inBox.length], 1e-4);
      assertClose('random energy', [random.energy as number], [inBox.length / PIXELS], 0.05);
      const insertion = [perfect, random, inverted].map((one) => one.insertion?.auc as number);
      const deletion = [perfect, random, inverted].map((one) => one.deletion?.auc as number);
      expectTrue(
        `insertion ${insertion} falls`,
        (insertion[0] as number) > (insertion[1] as number) &&
          (insertion[1] as number) > (insertion[2] as number),
      );
      expectTrue(
        `deletion ${deletion} rises`,
        (deletion[0] as number) < (deletion[1] as number) &&
          (deletion[1] as number) < (deletion[2] as number),
      );
      expectTrue('flat', flat.flat && flat.masked === 0.5);
      for (const key of [
        'insertion',
        'deletion',
        'energy',
        'energyElsewhere',
        'hit',
        'sparsity',
      ] as const) {
        expectTrue(`flat has no ${key}`, !(key in flat));
      }
      return notes.join('; ');
    } finally {
      explainer.dispose();
    }
  },
};

const coherent: GpuCase = {
  name: "ADCC's second map is that of the masked image, by the same method for the same class",
  run: async (gpu) => {
    const model = smallModel();
    const explainer = await createExplainer({ model: smallModel(), device: gpu.device });
    try {
      const explanation = await explainer.explain(smallImage(), { class: 1 });
      const measures = await explainer.measure(explanation, { metrics: ['adcc'] });
      const { data } = explanation.map;
      const input = normalise(smallImage(), model.manifest);
      const masked = Float64Array.from(input, (v, i) => v * (data[i % data.length] as number));
      const { network, weights } = model;
      const second = await scoreCamReference(network, weights, masked, 'conv3');
      const coherency = ((pearson(data, second.maps[1]?.data ?? []) as number) + 1) / 2;
      const outputs = await forwardReference(network, weights, masked);
      const logits = [...([...outputs.values()].at(-1) as Float64Array)].map(Math.exp);
      const p = (logits[1] as number) / logits.reduce((a, b) => a + b, 0);
      const complexity = data.reduce((a, b) => a + b, 0) / data.length;
      const drop = Math.max(0, measures.probability - p) / measures.probability;
      const adcc = 3 / (1 / coherency + 1 / (1 - complexity) + 1 / (1 - drop));
      const got = [measures.coherency, measures.complexity, measures.adcc] as number[];
      return assertClose('ADCC and its parts', got, [coherency, complexity, adcc], 1e-3);
    } finally {
      explainer.dispose();
    }
  },
};

/** An image [3, height, width] with a hole in it, by elimination. */
function imputedImage(image: Float32Array, hole: ArrayLike<number>): Float64Array {
  const planes = [0, 1, 2].map((c) =>
    imputedReference(image.subarray(c * PIXELS, (c + 1) * PIXELS), hole, WIDTH, HEIGHT),
  );
  return Float64Array.from(planes.flatMap((plane) => [...plane]));
}

/**
 * SaCo from its definition, of the network in closed form: slices of the order of pixels, all pairs of them. Pairs that are equal
 * in closed form a GPU's rounding decides, by as much as `open`.
 */
function sacoReference(
  { data }: SaliencyMap,
  input: Float32Array,
  groups: number,
): { readonly saco: number; readonly open: number } {
  const order = pixels.toSorted((a, b) => (data[b] as number) - (data[a] as number) || a - b);
  const slices = Array.from({ length: groups }, (_, group) =>
    order.filter((_pixel, rank) => Math.floor((rank * groups) / PIXELS) === group),
  );
  const means = [0, 1, 2].map(
    (c) => pixels.reduce((sum, i) => sum + (input[c * PIXELS + i] as number), 0) / PIXELS,
  );
  const facts = slices.map((slice) => {
    const gone = new Set(slice);
    const image = Float64Array.from(input, (value, i) =>
      gone.has(i % PIXELS) ? (means[Math.floor(i / PIXELS)] as number) : value,
    );
    const salience = slice.reduce((sum, i) => sum + (data[i] as number), 0);
    return { salience, left: probabilityOf(Float32Array.from(image)) };
  });
  let [agreed, undecided, all] = [0, 0, 0];
  for (const [i, a] of facts.entries()) {
    for (const b of facts.slice(i + 1)) {
      const weight = a.salience - b.salience;
      agreed += a.left <= b.left ? weight : -weight;
      if (Math.abs(a.left - b.left) < 1e-6) undecided += weight;
      all += Math.abs(weight);
    }
  }
  return { saco: agreed / all, open: (2 * undecided) / all };
}

/** Infidelity from its definition: what a regression through the origin leaves. */
function infidelityReference(map: SaliencyMap, input: Float32Array, squares: number): number {
  const points = drawSquares(squares, WIDTH, HEIGHT, 0).map((square) => {
    const own = new Set(pixels.filter((i) => inside(square, i)));
    const image = Float64Array.from(input, (value, i) => (own.has(i % PIXELS) ? 0 : value));
    const sum = [...own].reduce((total, i) => total + (map.data[i] as number), 0);
    return { sum, fall: probabilityOf(input) - probabilityOf(image) };
  });
  const meanOf = (value: (point: (typeof points)[number]) => number): number =>
    points.reduce((total, point) => total + value(point), 0) / points.length;
  // mean y^2 - (mean xy)^2 / mean x^2.
  return (
    meanOf(({ fall }) => fall ** 2) -
    meanOf(({ sum, fall }) => sum * fall) ** 2 / meanOf(({ sum }) => sum ** 2)
  );
}

/** Some of the methods with options that make them quick. */
const QUICK: Readonly<Partial<Record<Method, MethodOptions>>> = {
  rise: { masks: 40 },
  'opti-cam': { steps: 4 },
};

const faithful: GpuCase = {
  name: 'ROAD, SaCo and infidelity of maps of a network in closed form',
  run: async (gpu) => {
    const model = boxModel();
    const explainer = await createExplainer({ model: boxModel(), device: gpu.device });
    const notes: string[] = [];
    try {
      const image = boxImage();
      const input = normalise(image, model.manifest);
      const whole = probabilityOf(input);
      const found: Record<string, Measures> = {};
      const percentiles = [30, 60, 90];
      const metrics = ['road', 'saco', 'infidelity', 'pointing'] as const;
      for (const [name, map] of Object.entries(maps)) {
        const subject = { map, class: { index: 0, probability: whole }, image };
        const options = { metrics, percentiles, noise: 0, groups: 7, squares: 30, box: BOX };
        const measures = await explainer.measure(subject, options);
        found[name] = measures;
        if (map.flat) {
          expectTrue(
            'flat has none of them',
            ['road', 'saco', 'infidelity', 'rank'].every((key) => !(key in measures)),
          );
          continue;
        }
        const expected = removals(percentiles).map(
          (removal) => probabilityOf(imputedImage(input, holeOf(map.data, removal))) - whole,
        );
        const { mostRelevantFirst = [], leastRelevantFirst = [] } = measures.road ?? {};
        const got = percentiles.flatMap((_, i) => [
          mostRelevantFirst[i] as number,
          leastRelevantFirst[i] as number,
        ]);
        notes.push(assertClose(`${name}: ROAD`, got, expected, 1e-4));
        const { saco = 0, infidelity = 0 } = measures;
        const expectedSaco = sacoReference(map, input, 7);
        expectTrue(`${name}: most of SaCo is decided`, expectedSaco.open < 0.5);
        assertClose(`${name}: SaCo`, [saco], [expectedSaco.saco], 1e-6 + expectedSaco.open);
        const expectedInfidelity = infidelityReference(map, input, 30);
        assertClose(`${name}: infidelity`, [infidelity], [expectedInfidelity], 1e-5);
        expectTrue(`${name}: passes`, measures.passes === 6 + 7 + 30);
      }
      const { perfect, inverted, random } = found as Record<keyof typeof maps, Measures>;
      // In the box all are alike and elsewhere nothing counts, so groups are in order, and falls grow with the sum.
      expectTrue(`SaCo ${perfect.saco} is 1`, perfect.saco === 1);
      expectTrue(`SaCo ${inverted.saco} is -1`, inverted.saco === -1);
      const combined = [perfect, random, inverted].map((one) => one.road?.combined as number);
      expectTrue(
        `ROAD ${combined} falls`,
        (combined[0] as number) > (combined[1] as number) &&
          (combined[1] as number) > (combined[2] as number),
      );
      const missed = [perfect, random, inverted].map((one) => one.infidelity as number);
      expectTrue(`infidelity ${missed} rises`, (missed[0] as number) < (missed[1] as number));
      assertClose('ranks', [perfect.rank as number, inverted.rank as number], [1, 0], 0);
      return `${notes.join('; ')}; infidelity ${missed.map((one) => one.toExponential(1)).join(', ')}`;
    } finally {
      explainer.dispose();
    }
  },
};

const repeatable: GpuCase = {
  name: 'the same seed gives the same bits: every map, and all that is measured of it',
  run: async (gpu) => {
    const explainer = await createExplainer({ model: smallModel(), device: gpu.device });
    try {
      const { methods } = explainer.model;
      expectTrue('some methods', methods.length > METHOD_NAMES.length / 2);
      for (const method of methods) {
        const [first, second] = [
          await explainer.explain(smallImage(), { class: 1, method, ...QUICK[method] }),
          await explainer.explain(smallImage(), { class: 1, method, ...QUICK[method] }),
        ];
        expectTrue(`${method} repeats`, first.map.data.join() === second.map.data.join());
      }
      const explanation = await explainer.explain(smallImage(), { class: 1, method: 'grad-cam' });
      const metrics = ['road', 'arcc', 'saco', 'infidelity', 'sensitivity'] as const;
      const measured = (options: object): Promise<Measures> =>
        explainer.measure(explanation, { metrics, squares: 20, samples: 3, noise: 1, ...options });
      const [one, same, other] = [
        await measured({ seed: 5 }),
        await measured({ seed: 5 }),
        await measured({ seed: 6 }),
      ];
      expectTrue('measures repeat', JSON.stringify(one) === JSON.stringify(same));
      for (const key of ['road', 'infidelity', 'sensitivity'] as const) {
        const differs = JSON.stringify(one[key]) !== JSON.stringify(other[key]);
        expectTrue(`${key} goes by the seed`, one[key] !== undefined && differs);
      }
      expectTrue('SaCo draws nothing', one.saco === other.saco);
      return `${methods.length} methods`;
    } finally {
      explainer.dispose();
    }
  },
};

const composed: GpuCase = {
  name: 'ARCC is of the parts that it says, max-sensitivity none where nothing is shaken',
  run: async (gpu) => {
    const explainer = await createExplainer({ model: smallModel(), device: gpu.device });
    try {
      const explanation = await explainer.explain(smallImage(), { class: 1, method: 'grad-cam' });
      const metrics = ['adcc', 'arcc', 'road', 'sensitivity'] as const;
      const still = await explainer.measure(explanation, { metrics, samples: 2, radius: 0 });
      const { coherency = 0, complexity = 0, road, arcc = 0, passes } = still;
      const faith = Math.min(1, Math.max(0, 2 * (road?.combined as number)));
      const parts = [coherency, 1 - complexity, faith];
      const expected = parts.some((part) => part <= 0)
        ? 0
        : 3 / parts.reduce((sum, part) => sum + 1 / part, 0);
      assertClose('ARCC', [arcc], [expected], 1e-6);
      expectTrue(`sensitivity ${still.sensitivity} is 0`, still.sensitivity === 0);
      // The masked image, its map once for both, 8 imputed ones, 2 maps of a pass each.
      expectTrue(`${passes} passes`, passes === 1 + 1 + 8 + 2);
      const shaken = await explainer.measure(explanation, {
        metrics: ['sensitivity'],
        samples: 4,
        radius: 0.5,
      });
      expectTrue(`sensitivity ${shaken.sensitivity}`, (shaken.sensitivity as number) > 0);
      return `ARCC ${arcc.toFixed(3)}, sensitivity ${shaken.sensitivity?.toFixed(3)}`;
    } finally {
      explainer.dispose();
    }
  },
};

async function refusalOf(work: () => Promise<unknown>): Promise<string> {
  const error = await work().then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof ScoreCamError)) throw new Error(`not refused: ${error}`);
  return error.message;
}

const refused: GpuCase = {
  name: 'what cannot be measured is refused, with what is missing',
  run: async (gpu) => {
    const explainer: Explainer = await createExplainer({ model: boxModel(), device: gpu.device });
    try {
      const subject = { map: maps.perfect, class: { index: 0 }, image: boxImage() };
      const measure = (other: object, options: object): Promise<string> =>
        refusalOf(() => explainer.measure({ ...subject, ...other }, options));
      const expected: [Promise<string>, string][] = [
        [measure({}, { metrics: ['beauty'] }), 'no metric "beauty"'],
        [measure({}, { metrics: ['pointing'] }), 'needs the box'],
        [measure({}, { metrics: ['adcc'] }), '`options`'],
        [measure({}, { metrics: ['arcc'] }), '"arcc" makes the map anew'],
        [measure({}, { metrics: ['sensitivity'] }), '"sensitivity" makes the map anew'],
        [measure({}, { metrics: ['deletion'], steps: 0 }), 'steps is 0'],
        [measure({}, { metrics: ['road'], percentiles: [20, 100] }), 'above 0 and below 100'],
        [measure({}, { metrics: ['road'], percentiles: [] }), 'above 0 and below 100'],
        [measure({}, { metrics: ['saco'], groups: 1 }), 'groups is 1'],
        [measure({}, { metrics: ['infidelity'], squares: 0.5 }), 'squares is 0.5'],
        [measure({}, { metrics: ['road'], seed: -1 }), 'seed is -1'],
        [measure({ class: { index: 2 } }, {}), 'no class 2'],
        [measure({ map: { ...maps.perfect, width: 16 } }, {}), 'map is 16x14'],
      ];
      for (const [message, part] of expected) {
        expectTrue(`"${await message}" says ${part}`, (await message).includes(part));
      }
      return 'refused';
    } finally {
      explainer.dispose();
    }
  },
};

const sanity: GpuCase = {
  name: 'a randomised network looks elsewhere; randomising nothing changes nothing',
  run: async (gpu) => {
    const mapOfModel = async (model: Model): Promise<Float32Array> => {
      const explainer = await createExplainer({ model, device: gpu.device });
      const { map } = await explainer.explain(smallImage(), { class: 1, method: 'layer-cam' });
      explainer.dispose();
      return map.data;
    };
    const original = await mapOfModel(smallModel());
    const same = await mapOfModel(randomised(smallModel(), [], 1));
    const changed = await mapOfModel(randomised(smallModel(), ['fc3', 'fc2', 'conv3'], 1));
    expectTrue('nothing changed', same.join() === original.join());
    const correlation = pearson(original, changed) ?? 0;
    expectTrue(`correlation ${correlation} is below 0.9`, correlation < 0.9);
    return `correlation ${correlation.toFixed(3)}`;
  },
};

export const cases: GpuCase[] = [known, coherent, faithful, composed, repeatable, refused, sanity];
