import { normalise } from '../../src/explain/image';
import { kMeans } from '../../src/explain/methods/runs/k-means';
import { riseMasks } from '../../src/explain/methods/runs/rise';
import { samplesAtOnce } from '../../src/explain/methods/runs/sampled-score-cam';
import { gaussian } from '../../src/explain/random';
import type { Gpu } from '../../src/gpu/gpu';
import {
  createExplainer,
  type Explainer,
  type ExplainOptions,
  type Explanation,
  type Progress,
  ScoreCamError,
} from '../../src/index';
import type { Model } from '../../src/model/model';
import type { Network } from '../../src/model/network';
import type { GpuCase } from '../harness/case';
import { assertClose } from '../harness/compare';
import { smallImage, smallLayers, smallModel } from '../harness/small-model';
import { backwardReference } from '../reference/backward';
import { eigenCamReference, kpcaCamReference } from '../reference/components';
import { fullGradReference } from '../reference/full_grad';
import { rangeOf, upsampleReference } from '../reference/interpolation';
import { forwardReference } from '../reference/score_cam';

/** As in methods.gpu.ts: some hundred roundings, divided by a map's range. */
const TOLERANCE = 1e-4;

/** Channels 2 and 5 of conv3 are zero everywhere. */
const dead = (tensor: string, values: Float32Array): void => {
  if (tensor === 'conv3.bias') for (const k of [2, 5]) values[k] = -1000;
};

const networks = [
  ['vggLike', 'conv3'],
  ['poolingHead', 'conv2'],
] as const;

type Place = (typeof networks)[number];

const modelOf = (layers: keyof typeof smallLayers): Model =>
  smallModel({ layers: smallLayers[layers], ...(layers === 'vggLike' ? { change: dead } : {}) });

/** What all cases start from: the explainer, and the same network in f64. */
class Bench {
  readonly explainer: Explainer;
  readonly layer: string;
  readonly image: Float32Array;
  readonly network: Network;
  readonly model: Model;
  /** [K][h w] activation maps in f64. */
  maps: Float64Array[] = [];
  logits: number[] = [];

  private constructor(explainer: Explainer, model: Model, layer: string) {
    this.explainer = explainer;
    this.model = model;
    this.network = model.network;
    this.layer = layer;
    this.image = normalise(smallImage(), model.manifest);
  }

  static async open(gpu: Gpu, [layers, layer]: Place): Promise<Bench> {
    const explainer = await createExplainer({ model: modelOf(layers), device: gpu.device });
    const bench = new Bench(explainer, modelOf(layers), layer);
    const outputs = await forwardReference(bench.network, bench.model.weights, bench.image);
    const { channels, height, width } = bench.size;
    const all = outputs.get(layer) as Float64Array;
    bench.maps = Array.from({ length: channels }, (_, k) =>
      all.subarray(k * height * width, (k + 1) * height * width),
    );
    bench.logits = [...([...outputs.values()].at(-1) as Float64Array)];
    return bench;
  }

  get size(): { channels: number; height: number; width: number } {
    const found = this.network.layers.find(({ name }) => name === this.layer);
    if (!found) throw new Error(this.layer);
    return found.output;
  }

  explain(options: ExplainOptions): Promise<Explanation> {
    return this.explainer.explain(smallImage(), { layer: this.layer, class: 1, ...options });
  }

  async probabilities(image: ArrayLike<number>): Promise<number[]> {
    const outputs = await forwardReference(this.network, this.model.weights, image);
    return softmaxOf([...([...outputs.values()].at(-1) as Float64Array)]);
  }

  /** p of the image under a mask at full size. */
  masked(mask: ArrayLike<number>, scale = 1): Promise<number[]> {
    const size = mask.length;
    return this.probabilities(
      Float64Array.from(this.image, (v, i) => v * scale * (mask[i % size] as number)),
    );
  }

  /** Logits of altered activation maps, by the layers behind the target alone. */
  async head(maps: readonly ArrayLike<number>[]): Promise<number[]> {
    const at = this.network.layers.findIndex(({ name }) => name === this.layer);
    const rest = {
      ...this.network,
      input: this.size,
      layers: this.network.layers.slice(at + 1),
    };
    const flat = Float64Array.from(maps.flatMap((map) => Array.from(map)));
    const outputs = await forwardReference(rest, this.model.weights, flat);
    return [...([...outputs.values()].at(-1) as Float64Array)];
  }

  gradient(classIndex: number): Promise<Float64Array> {
    const { network, model, layer } = this;
    const maps = Float64Array.from(this.maps.flatMap((map) => Array.from(map)));
    return backwardReference(network, model.weights, layer, maps, { classIndex, of: 'logit' });
  }

  upsample(map: Float64Array): Float64Array {
    const { height, width } = this.network.input;
    const { height: mapHeight, width: mapWidth } = this.size;
    return upsampleReference(map, { mapHeight, mapWidth, height, width, alignCorners: false });
  }

  /** Min-max normalised upsampled map; undefined where it is constant. */
  mask(map: Float64Array): Float64Array | undefined {
    return stretch(this.upsample(map));
  }
}

const softmaxOf = (logits: readonly number[]): number[] => {
  const exps = logits.map((value) => Math.exp(value - Math.max(...logits)));
  const total = exps.reduce((a, b) => a + b, 0);
  return exps.map((value) => value / total);
};

function stretch(values: Float64Array): Float64Array | undefined {
  const { min, max } = rangeOf(values);
  return max > min ? values.map((value) => (value - min) / (max - min)) : undefined;
}

function weightedSum(maps: readonly Float64Array[], alpha: readonly number[]): Float64Array {
  return Float64Array.from(maps[0] as Float64Array, (_, i) =>
    maps.reduce((sum, map, k) => sum + (alpha[k] as number) * (map[i] as number), 0),
  );
}

function expectSame(what: string, actual: unknown, expected: unknown): void {
  const [a, b] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (a !== b) throw new Error(`${what}: got ${a}, expected ${b}`);
}

interface Check {
  readonly name: string;
  readonly work: (bench: Bench) => Promise<string>;
}

const check = (name: string, work: Check['work']): Check => ({ name, work });

const faster = check('faster-score-cam is score-cam on the most varied maps', async (bench) => {
  const whole = await bench.explain({ method: 'score-cam' });
  const all = await bench.explain({ method: 'faster-score-cam', top: 99 });
  expectSame('map', [...all.map.data], [...whole.map.data]);
  const some = await bench.explain({ method: 'faster-score-cam', top: 2 });
  const deviations = bench.maps.map((map) => {
    const mean = map.reduce((a, b) => a + b, 0) / map.length;
    return map.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  });
  const second = deviations.toSorted((a, b) => b - a)[1] as number;
  const expected = [...whole.weights].map((w, k) => ((deviations[k] as number) >= second ? w : 0));
  expectSame('weights', [...some.weights], expected);
  expectSame('passes', some.passes, { forward: 3, backward: 0, head: 0 });
  return 'same weights';
});

const integrated = check('is-cam is the mean over growing masks', async (bench) => {
  const whole = await bench.explain({ method: 'score-cam' });
  const single = await bench.explain({ method: 'is-cam', steps: 1 });
  assertClose('one step is score-cam', single.map.data, whole.map.data, 1e-6);
  const steps = 3;
  const some = await bench.explain({ method: 'is-cam', steps });
  const expected: number[] = [];
  for (const map of bench.maps) {
    const mask = bench.mask(map);
    let mean = 0;
    for (let i = 1; mask && i <= steps; i++) {
      mean += ((await bench.masked(mask, i / steps))[1] as number) / steps;
    }
    expected.push(mean);
  }
  return assertClose('weights', some.weights, expected, TOLERANCE);
});

const smoothed = check('ss-cam is the mean over noisy masks', async (bench) => {
  const whole = await bench.explain({ method: 'score-cam' });
  const quiet = await bench.explain({ method: 'ss-cam', samples: 2, sigma: 0 });
  assertClose('without noise it is score-cam', quiet.map.data, whole.map.data, 1e-6);
  const options = { method: 'ss-cam', samples: 2, sigma: 0.3, seed: 7 } as const;
  const some = await bench.explain(options);
  const other = await bench.explain({ ...options, seed: 8 });
  if ([...some.weights].join() === [...other.weights].join()) throw new Error('seeds do nothing');
  // The same noise, in the order in which it is documented to be drawn: sample, map, pixel.
  const next = gaussian(options.seed);
  const expected = new Array<number>(bench.maps.length).fill(0);
  for (let sample = 0; sample < options.samples; sample++) {
    for (const [k, map] of bench.maps.entries()) {
      const { min, max } = rangeOf(bench.upsample(map));
      if (!(max > min)) continue;
      const noisy = map.map((value) => value + options.sigma * (max - min) * next());
      const p = await bench.masked(bench.mask(noisy) as Float64Array);
      expected[k] = (expected[k] as number) + (p[1] as number) / options.samples;
    }
  }
  return assertClose('weights', some.weights, expected, TOLERANCE);
});

/** Samples that do not fit the memory budget at once give the same weights, bit for bit, and are counted on. */
async function runSamplesInBlocks(gpu: Gpu): Promise<string> {
  const memoryBudget = 400 * 1024;
  const image = smallImage();
  const model = (): Model => modelOf('vggLike');
  const network = model().network;
  const layer = network.layers.find(({ name }) => name === 'conv3');
  if (!layer) throw new Error('no conv3');
  const { channels, ...size } = layer.output;
  const block = samplesAtOnce(size, channels, memoryBudget);
  const count = 2 * block + 1;
  const roomy = await createExplainer({ model: model(), device: gpu.device });
  const tight = await createExplainer({ model: model(), device: gpu.device, memoryBudget });
  const passes: number[] = [];
  for (const options of [
    { method: 'is-cam', steps: count },
    { method: 'ss-cam', samples: count, sigma: 0.3, seed: 7 },
  ] as const) {
    const common = { layer: 'conv3', class: 1, ...options } as const;
    const whole = await roomy.explain(image, common);
    // One is the image's own.
    const masks = whole.passes.forward - 1;
    let last = 0;
    const onProgress = ({ phase, done, total }: Progress): void => {
      if (phase !== 'masks') return;
      if (done < last || total !== masks) throw new Error(`${done} of ${total}`);
      last = done;
    };
    const some = await tight.explain(image, { ...common, onProgress });
    assertClose(`weights of ${options.method}`, some.weights, whole.weights, 0);
    expectSame('passes', some.passes, whole.passes);
    expectSame('masks done', last, masks);
    passes.push(last);
  }
  roomy.dispose();
  tight.dispose();
  return `${passes.join(' and ')} masks in blocks of ${block} samples`;
}

const grouped = check('group-cam scores the sums of groups', async (bench) => {
  const notes: string[] = [];
  for (const groups of [2, 99]) {
    const first = await bench.explain({ method: 'group-cam', groups });
    const other = await first.forClass(0);
    const base = await bench.probabilities(new Float64Array(bench.image.length));
    for (const one of [first, other]) {
      const c = one.class.index;
      const gradient = await bench.gradient(c);
      const pixels = bench.size.height * bench.size.width;
      const weights = bench.maps.map(
        (_, k) =>
          gradient.subarray(k * pixels, (k + 1) * pixels).reduce((a, b) => a + b, 0) / pixels,
      );
      const order = weights.map((_, k) => k);
      order.sort((a, b) => (weights[b] as number) - (weights[a] as number) || a - b);
      const count = Math.min(groups, order.length);
      const masks: Float64Array[] = [];
      const alpha: number[] = [];
      for (let g = 0; g < count; g++) {
        const from = Math.floor((g * order.length) / count);
        const members = order.slice(from, Math.floor(((g + 1) * order.length) / count));
        const parts = members.map((k) => bench.maps[k] as Float64Array);
        const sum = weightedSum(
          parts,
          members.map((k) => weights[k] as number),
        );
        const low = stretch(sum.map((value) => Math.max(0, value)));
        const mask = low && bench.mask(low);
        if (!low || !mask) continue;
        masks.push(bench.upsample(low));
        alpha.push(((await bench.masked(mask))[c] as number) - (base[c] as number));
      }
      const sum = masks.length > 0 ? weightedSum(masks, alpha) : new Float64Array(1);
      const map = stretch(sum.map((value) => Math.max(0, value)));
      expectSame('flat', one.map.flat, map === undefined);
      if (map) notes.push(assertClose('map', one.map.data, map, 30 * TOLERANCE));
    }
  }
  return notes.join('; ');
});

const random = check('rise is the weighted mean of its masks', async (bench) => {
  const { height, width } = bench.network.input;
  const count = 70; // more than one block
  const { explainer } = bench;
  const first = await explainer.explain(smallImage(), { method: 'rise', masks: count, class: 1 });
  const other = await first.forClass(0);
  expectSame('passes', first.passes, { forward: count + 1, backward: 0, head: 0 });
  expectSame('passes of forClass', other.passes, { forward: 0, backward: 0, head: 0 });
  const draw = riseMasks(height, width, 0);
  const sums = [new Float64Array(height * width), new Float64Array(height * width)];
  const mask = new Float32Array(height * width);
  for (let i = 0; i < count; i++) {
    draw(mask);
    if (mask.some((value) => !(value >= 0 && value <= 1))) throw new Error('mask beyond [0, 1]');
    const p = await bench.masked(mask);
    sums.forEach((sum, c) => {
      mask.forEach((value, j) => {
        sum[j] = (sum[j] as number) + (p[c] as number) * value;
      });
    });
  }
  assertClose('other class', other.map.data, stretch(sums[0] as Float64Array) ?? [], TOLERANCE);
  return assertClose('map', first.map.data, stretch(sums[1] as Float64Array) ?? [], TOLERANCE);
});

const ablated = check('ablation-cam is what f64 says of each channel left out', async (bench) => {
  const first = await bench.explain({ method: 'ablation-cam' });
  const scores: number[] = [];
  const expected: number[] = [];
  for (const k of bench.maps.keys()) {
    const without = bench.maps.map((map, i) => (i === k ? map.map(() => 0) : map));
    const logits = await bench.head(without);
    scores.push(...logits);
    const whole = bench.logits[1] as number;
    expected.push((whole - (logits[1] as number)) / whole);
  }
  expectSame('passes', first.passes, { forward: 1, backward: 0, head: bench.maps.length });
  for (const [k, map] of bench.maps.entries()) {
    if (map.every((value) => value === 0)) expectSame('weight of a dead map', first.weights[k], 0);
  }
  assertClose('scores', first.scores, scores, TOLERANCE);
  const largest = Math.max(...expected.map(Math.abs));
  assertClose('weights', first.weights, expected, 10 * TOLERANCE * largest);
  const sum = weightedSum(bench.maps, expected).map((value) => Math.max(0, value));
  const map = stretch(bench.upsample(sum));
  return assertClose('map', first.map.data, map ?? new Float64Array(sum.length), 30 * TOLERANCE);
});

const reciprocal = check('recipro-cam is what f64 says of each position alone', async (bench) => {
  const first = await bench.explain({ method: 'recipro-cam' });
  const { height, width } = bench.size;
  const g = (distance: number): number => ([0.5, 0.25][Math.abs(distance)] ?? 0) as number;
  const values: number[] = [];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const alone = bench.maps.map((map) =>
        map.map((value, i) => value * g(Math.floor(i / width) - y) * g((i % width) - x)),
      );
      values.push(softmaxOf(await bench.head(alone))[1] as number);
    }
  }
  expectSame('passes', first.passes, { forward: 1, backward: 0, head: values.length });
  const map = stretch(bench.upsample(Float64Array.from(values))) as Float64Array;
  return assertClose('map', first.map.data, map, 100 * TOLERANCE);
});

const several: GpuCase = {
  name: 'several layers are fused, and a reweighing runs nothing anew',
  run: async (gpu) => {
    const bench = await Bench.open(gpu, ['vggLike', 'conv3']);
    try {
      const layer = ['pool1', 'conv3'];
      for (const method of ['ablation-cam', 'recipro-cam', 'is-cam', 'group-cam'] as const) {
        const one = await bench.explain({ method, layer });
        expectSame(
          method,
          one.layers.map((own) => own.layer),
          layer,
        );
        const fused = one.layers.map((own) => own.map.data);
        const mean = (fused[0] as Float32Array).map(
          (v, i) => (v + ((fused[1] as Float32Array)[i] as number)) / 2,
        );
        const map = stretch(Float64Array.from(mean)) ?? new Float64Array(mean.length);
        assertClose(method, one.map.data, map, 1e-6);
      }
      const product = await bench.explain({ method: 'refine-cam', layer });
      const [a, b] = product.layers.map((own) => own.map.data) as [Float32Array, Float32Array];
      const both = stretch(Float64Array.from(a, (v, i) => v * (b[i] as number)));
      assertClose('refine-cam', product.map.data, both ?? new Float64Array(a.length), 1e-6);
      const main = await bench.explain({});
      const again = await main.withWeighting('increase');
      const anew = await bench.explain({ weighting: 'increase' });
      expectSame('weights', [...again.weights], [...anew.weights]);
      expectSame('passes', again.passes, { forward: 1, backward: 0, head: 0 });
      expectSame('weighting', again.weighting, 'increase');
      return 'fused';
    } finally {
      bench.explainer.dispose();
    }
  },
};

const refusals: GpuCase = {
  name: 'options that do not fit a relative are refused',
  run: async (gpu) => {
    const bench = await Bench.open(gpu, ['vggLike', 'conv3']);
    const bad = async (work: () => Promise<unknown>, message: string): Promise<void> => {
      const error = await work().then(
        () => undefined,
        (reason: unknown) => reason,
      );
      if (!(error instanceof ScoreCamError) || !error.message.includes(message)) {
        throw new Error(`"${message}" expected, got ${error}`);
      }
    };
    try {
      await bad(() => bench.explain({ method: 'faster-score-cam', top: 0 }), 'top is 0');
      await bad(() => bench.explain({ method: 'ss-cam', sigma: -1 }), 'sigma is -1');
      await bad(() => bench.explain({ method: 'ss-cam', samples: 1.5 }), 'samples is 1.5');
      await bad(() => bench.explain({ method: 'rise' }), 'rise looks into no layer');
      await bad(() => bench.explain({ method: 'grad-cam', top: 3 }), 'no use for "top"');
      await bad(
        () => bench.explain({ method: 'is-cam', top: 3, channels: [1] }),
        'give one of them',
      );
      const main = await bench.explain({});
      await bad(() => main.withWeighting('softmax-logit'), 'needs other masks');
      const grad = await bench.explain({ method: 'grad-cam' });
      await bad(() => grad.withWeighting('increase'), 'knows no weightings');
      return 'refused';
    } finally {
      bench.explainer.dispose();
    }
  },
};

const clustered = check('cluster-cam scores the means of clusters', async (bench) => {
  const telling = [...bench.maps.keys()].filter((k) => bench.mask(bench.maps[k] as Float64Array));
  const whole = await bench.explain({ method: 'score-cam' });
  const single = await bench.explain({ method: 'cluster-cam', groups: 99 });
  assertClose('a cluster a map is score-cam', single.map.data, whole.map.data, 30 * TOLERANCE);
  const [groups, seed] = [3, 4];
  const some = await bench.explain({ method: 'cluster-cam', groups, seed });
  expectSame('passes', some.passes, { forward: groups + 1, backward: 0, head: 0 });
  expectSame('passes of forClass', (await some.forClass(0)).passes.forward, 0);
  const points = telling.map((k) => stretch(bench.maps[k] as Float64Array) as Float64Array);
  const { centres, clusterOf } = kMeans(points, groups, seed);
  const scores = await Promise.all(
    centres.map(async (centre) => bench.masked(bench.mask(centre) as Float64Array)),
  );
  const expected = bench.maps.map((_, k) => {
    const at = telling.indexOf(k);
    return at < 0 ? 0 : ((scores[clusterOf[at] as number] as number[])[1] as number);
  });
  return assertClose('weights', some.weights, expected, TOLERANCE);
});

/** The methods that ask for no class. */
const ofMaps = check('eigen-cam, kpca-cam and fem are what f64 says', async (bench) => {
  const byDeviation = bench.maps.map((map) => {
    const mean = map.reduce((a, b) => a + b, 0) / map.length;
    const variance = map.reduce((sum, value) => sum + (value - mean) ** 2, 0) / map.length;
    return map.filter((value) => value > mean + 2 * Math.sqrt(variance)).length / map.length;
  });
  const notes: string[] = [];
  for (const [method, low] of [
    ['eigen-cam', eigenCamReference(bench.maps)],
    ['kpca-cam', kpcaCamReference(bench.maps)],
    ['fem', weightedSum(bench.maps, byDeviation)],
  ] as const) {
    const first = await bench.explain({ method });
    expectSame('passes', first.passes, { forward: 1, backward: 0, head: 0 });
    const map = stretch(bench.upsample(low.map((value) => Math.max(0, value)))) as Float64Array;
    notes.push(assertClose(method, first.map.data, map, 10 * TOLERANCE));
    expectSame('another class', [...(await first.forClass(0)).map.data], [...first.map.data]);
  }
  return notes.join('; ');
});

const full = check('full-grad is what f64 says of the image and all biases', async (bench) => {
  const notes: string[] = [];
  for (const of of ['logit', 'probability'] as const) {
    const first = await bench.explainer.explain(smallImage(), {
      method: 'full-grad',
      of,
      class: 1,
    });
    const other = await first.forClass(0);
    expectSame('passes', first.passes, { forward: 1, backward: 1, head: 0 });
    for (const { class: asked, map } of [first, other]) {
      const score = { classIndex: asked.index, of };
      const { network, model, image } = bench;
      const expected = await fullGradReference(network, model.weights, image, score);
      notes.push(assertClose(`${of} ${asked.index}`, map.data, expected, 10 * TOLERANCE));
    }
  }
  return notes.join('; ');
});

/** Every kind of evidence, for the class less its nearest: scores are linear in what is asked. */
const contrasted = check('contrast subtracts the nearest class', async (bench) => {
  const distance = (c: number): number =>
    Math.abs((bench.logits[c] as number) - (bench.logits[1] as number));
  const others = [...bench.logits.keys()].filter((c) => c !== 1);
  const rival = others.sort((a, b) => distance(a) - distance(b))[0] as number;
  const contrast = 0.5;
  const notes: string[] = [];
  for (const options of [
    { method: 'score-cam' },
    { method: 'cluster-cam', groups: 3 },
    { method: 'is-cam', steps: 2 },
  ] as const) {
    const plain = await bench.explain(options);
    const theirs = await plain.forClass(rival);
    const found = await bench.explain({ ...options, contrast, rivals: 1 });
    expectSame('passes', found.passes, plain.passes);
    const expected = plain.weights.map((w, k) => w - contrast * (theirs.weights[k] as number));
    notes.push(assertClose(options.method, found.weights, expected, 1e-6));
  }
  // A share of the score, not a score.
  const [plain, theirs, found] = [
    await bench.explain({ method: 'ablation-cam' }),
    bench.logits[rival] as number,
    await bench.explain({ method: 'ablation-cam', contrast, rivals: 1 }),
  ];
  const whole = (bench.logits[1] as number) - contrast * theirs;
  const classes = bench.logits.length;
  const expected = Array.from(plain.weights, (_, k) => {
    const [own, other] = [1, rival].map((c) => plain.scores[k * classes + c] as number);
    return (whole - ((own as number) - contrast * (other as number))) / whole;
  });
  const largest = Math.max(...expected.map(Math.abs));
  notes.push(assertClose('ablation-cam', found.weights, expected, TOLERANCE * largest));
  return notes.join('; ');
});

const optimised = check('opti-cam climbs as f64 does', async (bench) => {
  const { network, model, image } = bench;
  // The others have no slope.
  const telling = bench.maps.filter((map) => bench.mask(map));
  const logit = async (u: readonly number[]): Promise<number> => {
    const mask = bench.mask(weightedSum(telling, softmaxOf(u))) as Float64Array;
    const masked = Float64Array.from(image, (v, i) => v * (mask[i % mask.length] as number));
    const outputs = await forwardReference(network, model.weights, masked);
    return ([...outputs.values()].at(-1) as Float64Array)[1] as number;
  };
  const steps = 4;
  const u = telling.map(() => 0);
  const [m, v] = [u.map(() => 0), u.map(() => 0)];
  const before = await logit(u);
  for (let t = 1; t <= steps; t++) {
    const slopes: number[] = [];
    for (const k of u.keys()) {
      const moved = (by: number): number[] => u.map((value, j) => value + (j === k ? by : 0));
      slopes.push(((await logit(moved(1e-5))) - (await logit(moved(-1e-5)))) / 2e-5);
    }
    slopes.forEach((g, k) => {
      m[k] = 0.9 * (m[k] as number) + 0.1 * g;
      v[k] = 0.999 * (v[k] as number) + 0.001 * g * g;
      const rate = 0.1 / (1 - 0.9 ** t);
      const scale = Math.sqrt((v[k] as number) / (1 - 0.999 ** t)) + 1e-8;
      u[k] = (u[k] as number) + (rate * (m[k] as number)) / scale;
    });
  }
  if (!((await logit(u)) > before)) throw new Error('the logit does not rise');
  const found = await bench.explain({ method: 'opti-cam', steps });
  expectSame('passes', found.passes, { forward: steps + 1, backward: steps, head: 0 });
  const weights = softmaxOf(u);
  const expected = bench.maps.map((map) => (telling.includes(map) ? weights.shift() : 0) as number);
  return assertClose('weights', found.weights, expected, 10 * TOLERANCE);
});

const checks = [
  optimised,
  clustered,
  ofMaps,
  full,
  contrasted,
  faster,
  integrated,
  smoothed,
  grouped,
  random,
  ablated,
  reciprocal,
];

/** One explainer a network, hence one set of pipelines: compiling is what takes the time. */
const onNetworks = networks.map(
  (place): GpuCase => ({
    name: `Score-CAM's relatives are what f64 says: ${place.join(' ')}`,
    run: async (gpu) => {
      const bench = await Bench.open(gpu, place);
      const notes: string[] = [];
      try {
        for (const { name, work } of checks) {
          try {
            notes.push(`${name}: ${await work(bench)}`);
          } catch (cause) {
            throw new Error(`${name}: ${cause}`, { cause });
          }
        }
        return notes.join('; ');
      } finally {
        bench.explainer.dispose();
      }
    },
  }),
);

const inBlocks: GpuCase = {
  name: 'is-cam and ss-cam with more samples than fit at once',
  run: runSamplesInBlocks,
};

export const cases: GpuCase[] = [...onNetworks, inBlocks, several, refusals];
