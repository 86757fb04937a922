import { normalise } from '../../src/explain/image';
import { Arena } from '../../src/gpu/arena';
import type { DeviceFacts } from '../../src/gpu/facts';
import type { Gpu } from '../../src/gpu/gpu';
import { mapRanges } from '../../src/kernels/maps/map_ranges';
import { FUSED_4X4_INVOCATIONS } from '../../src/kernels/winograd/winograd_fused';
import type { ManifestLayer } from '../../src/model/manifest';
import type { Model } from '../../src/model/model';
import { type Choices, compile } from '../../src/plan/compile';
import { NetworkWeights } from '../../src/runtime/network-weights';
import { type Masks, type Reach, Runner } from '../../src/runtime/runner';
import { Skipping } from '../../src/runtime/skipping';
import type { GpuCase } from '../harness/case';
import { smallImage, smallModel } from '../harness/small-model';
import { maskRegion, reachedTiles, rimTiles, type StepTiles } from '../reference/skipping';

/** Each gives one map of [height, width] cells; zero, or its smallest value, where nothing is said. */
const drawings: Readonly<
  Record<string, (y: number, x: number, height: number, width: number) => number>
> = {
  corner: (y, x) => Number(y === 0 && x === 0),
  'last corner': (y, x, height, width) => Number(y === height - 1 && x === width - 1),
  middle: (y, x, height, width) => Number(y === height >> 1 && x === width >> 1),
  row: (y, _x, height) => Number(y === height - 1) * 2,
  'two spots': (y, x, height, width) =>
    Number((y === 0 && x === width - 1) || (y === height - 1 && x === 0)),
  everywhere: (y, x) => 1 + ((3 * y + 5 * x) % 7),
  'below zero': (y, x) => (y === 1 && x === 1 ? 3 : -2),
};

interface Trial {
  readonly what: string;
  readonly model: Model;
  readonly image: Float32Array<ArrayBuffer>;
  readonly mapHeight: number;
  readonly mapWidth: number;
  readonly alignCorners: boolean;
  readonly memoryBudget: number;
  /** Some layer has more tiles than one slice of Winograd. */
  readonly sliced?: boolean;
  /** Of the device and its choices, where not the adapter's own. */
  readonly facts?: DeviceFacts;
  readonly choose?: Choices;
}

interface Prepared {
  readonly runner: Runner;
  readonly masks: Masks;
  readonly arena: Arena;
  /** [K, mapHeight, mapWidth], and [K] pairs (min, max), as on the GPU. */
  readonly data: Float32Array;
  readonly ranges: Float32Array;
}

async function prepared<T>(
  gpu: Gpu,
  trial: Trial,
  use: (prepared: Prepared) => Promise<T>,
): Promise<T> {
  const { model, mapHeight, mapWidth, alignCorners } = trial;
  const { network } = model;
  const arena = new Arena(gpu);
  const plan = compile(network, trial.facts ?? gpu.facts, trial.choose && { choose: trial.choose });
  const weights = await NetworkWeights.load(gpu, plan, model.weights);
  const runner = new Runner(gpu, plan, weights);
  const names = Object.keys(drawings);
  const size = mapHeight * mapWidth;
  const data = new Float32Array(names.length * size);
  Object.values(drawings).forEach((draw, k) => {
    for (let i = 0; i < size; i++) {
      data[k * size + i] = draw(Math.floor(i / mapWidth), i % mapWidth, mapHeight, mapWidth);
    }
  });
  const maps = arena.upload('maps', data);
  const ranges = arena.take('ranges', 8 * names.length);
  const { height, width } = network.input;
  const sizes = { mapHeight, mapWidth, height, width, alignCorners };
  await gpu.submit('ranges', [
    mapRanges({ label: 'maps', maps, count: names.length, ...sizes, ranges }),
  ]);
  // Not in order, and one twice.
  const channels = Uint32Array.of(2, 0, 1, 6, 4, 3, 5, 0);
  const masks: Masks = { maps, height: mapHeight, width: mapWidth, ranges, channels, alignCorners };
  try {
    const limits = await gpu.read(ranges.buffer, 2 * names.length);
    return await use({ runner, masks, arena, data, ranges: limits });
  } finally {
    arena.dispose();
    weights.dispose();
  }
}

/** How many slices of Winograd behind the first `work` dispatches. */
async function laterSlices(gpu: Gpu, work: () => Promise<unknown>): Promise<number> {
  const submit = gpu.submit.bind(gpu);
  let later = 0;
  gpu.submit = (label, dispatches, copies) => {
    later += dispatches.filter(
      ({ kernel, params }) => kernel.name.startsWith('winograd_input') && (params.first ?? 0) > 0,
    ).length;
    return submit(label, dispatches, copies);
  };
  try {
    await work();
  } finally {
    gpu.submit = submit;
  }
  return later;
}

/** The logits with and without skipping, bit for bit, and the share of work that masks reach. */
function compare(gpu: Gpu, trial: Trial): Promise<string> {
  const { memoryBudget } = trial;
  return prepared(gpu, trial, async ({ runner, masks, arena }) => {
    const image = arena.upload('image', trial.image);
    const shares: number[] = [];
    const onReach = ({ share }: Reach): number => shares.push(share);
    const all = { memoryBudget, skip: false, onReach };
    const { logits: dense } = await runner.maskedScores(image, masks, all);
    let skipped = new Float32Array(0);
    const later = await laterSlices(gpu, async () => {
      skipped = (await runner.maskedScores(image, masks, { memoryBudget, onReach })).logits;
    });
    if (shares.length !== 1) throw new Error(`${shares.length} shares, expected one`);
    const [share] = shares as [number];
    // Or the case would compare a dense run with itself.
    if (!(share > 0 && share < 0.9)) throw new Error(`masks reach ${share} of the work`);
    sameBits(dense, skipped);
    // In blocks, heard of as they come.
    const heard = new Float32Array(dense.length).fill(Number.NaN);
    const classes = dense.length / masks.channels.length;
    const { logits: again } = await runner.maskedScores(image, masks, {
      memoryBudget,
      priority: Array.from(masks.channels, (_, mask) => (5 * mask) % 8),
      onScores: (positions, { logits }) => {
        positions.forEach((mask, row) => {
          heard.set(logits.subarray(row * classes, (row + 1) * classes), mask * classes);
        });
      },
    });
    sameBits(dense, again);
    sameBits(dense, heard);
    if (later > 0 !== (trial.sliced ?? false)) throw new Error(`${later} later slices`);
    if (new Set(dense).size < dense.length / 2) throw new Error('logits hardly differ');
    return `${(100 * share).toFixed(0)} % of the work is reached`;
  });
}

function sameBits(dense: Float32Array, other: Float32Array): void {
  const bits = (values: Float32Array): string =>
    new Uint32Array(values.buffer, values.byteOffset, values.length).join();
  if (bits(dense) === bits(other)) return;
  const worst = dense.reduce((most, v, i) => Math.max(most, Math.abs(v - (other[i] as number))), 0);
  throw new Error(`logits differ by up to ${worst}`);
}

/**
 * As on a GPU: the kernels that compute in tiles of workgroup memory, first layer and Winograd alike. Their products
 * take tiles by the number of places, so this shows that no bit depends on that either.
 */
function compareAsOnGpu(gpu: Gpu, trial: Trial): Promise<string> {
  const { maxInvocations } = gpu.facts;
  const conv: Choices['conv'] = ({ inChannels }) =>
    inChannels === 3
      ? { kind: 'direct', tiling: 'workgroup', maxInvocations }
      : { kind: 'winograd', precision: 'f32', product: 'workgroup', maxInvocations };
  return compare(gpu, { ...trial, facts: { ...gpu.facts, isFallback: false }, choose: { conv } });
}

/**
 * F(2x2) in one kernel, behind a direct first layer or from the first layer on. Zeros of the first layer are taken for
 * known pixel by pixel: an output of F(2x2) depends on nine pixels, as a direct one does.
 */
function compareFused(gpu: Gpu, trial: Trial, isDirectFirst: boolean): Promise<string> {
  const { maxInvocations } = gpu.facts;
  const conv: Choices['conv'] = ({ inChannels }) =>
    isDirectFirst && inChannels === 3
      ? { kind: 'direct', tiling: 'workgroup', maxInvocations }
      : { kind: 'fused', precision: 'f32', sides: 1 };
  return compare(gpu, { ...trial, facts: { ...gpu.facts, isFallback: false }, choose: { conv } });
}

/** F(4x4) in one kernel behind a direct first layer, where workgroups may be so large. */
async function compareFused4x4(gpu: Gpu, trial: Trial): Promise<string> {
  const { maxInvocations } = gpu.facts;
  if (maxInvocations < FUSED_4X4_INVOCATIONS) return `not run: workgroups of ${maxInvocations}`;
  const conv: Choices['conv'] = ({ inChannels }) =>
    inChannels === 3
      ? { kind: 'direct', tiling: 'workgroup', maxInvocations }
      : { kind: 'fused4x4', precision: 'f32' };
  return compare(gpu, { ...trial, facts: { ...gpu.facts, isFallback: false }, choose: { conv } });
}

/** Every list of the GPU against the reference, in batches whose masks stand in another order. */
function compareLists(gpu: Gpu, trial: Trial): Promise<string> {
  return prepared(gpu, trial, async ({ runner, masks, arena, data, ranges }) => {
    const { network } = runner;
    const { features: steps } = runner.plan;
    const skipping = await Skipping.of(gpu, steps, masks, arena);
    if (!skipping) throw new Error('nothing can be skipped');
    const { height, width } = network.input;
    const size = masks.height * masks.width;
    const expected = Array.from(masks.channels, (k) => {
      const map = {
        data: data.subarray(k * size, (k + 1) * size),
        height: masks.height,
        width: masks.width,
        min: ranges[2 * k] as number,
        alignCorners: masks.alignCorners,
      };
      const reached = reachedTiles(maskRegion(map, height, width), steps) as StepTiles[];
      return { reached, rim: rimTiles(reached, steps) };
    });
    const order = Uint32Array.of(5, 1, 7, 0, 2, 6, 3, 4);
    const rows = { order, list: arena.upload('order', order) };
    let compared = 0;
    for (const [first, batch] of [
      [0, 3],
      [3, 5],
    ] as const) {
      const lists = skipping.batch(rows, first, batch, arena, arena);
      await gpu.submit('lists', [lists.dispatch]);
      const all = new Uint32Array((await gpu.read(lists.places.buffer)).buffer);
      const check = (what: string, offset: number, count: number, wanted: number[]): void => {
        const found = [...all.subarray(offset, offset + count)];
        if (found.join() !== wanted.join()) {
          throw new Error(`${what}: ${found.length} tiles ${found}, expected ${wanted}`);
        }
        compared += count;
      };
      steps.forEach((step, i) => {
        const own = [...order.subarray(first, first + batch)].map((mask) => expected[mask]);
        const total = own[0]?.reached[i]?.total as number;
        const active = lists.active(step);
        const listed = own.flatMap((one, b) =>
          [...(one?.reached[i]?.active ?? [])].map((tile) => b * total + tile),
        );
        check(step.name, (active?.list.offset as number) / 4, active?.count as number, listed);
        const rim = own.flatMap((one, b) =>
          [...(one?.rim[i] ?? [])].map((tile) => b * total + tile),
        );
        check(`rim of ${step.name}`, rimOffset(active?.list, listed.length), rim.length, rim);
      });
    }
    return `${compared} tiles`;
  });
}

/** A rim's list stands behind its step's list, at the next multiple of 64 words. */
function rimOffset(active: GPUBufferBinding | undefined, count: number): number {
  return (active?.offset as number) / 4 + 64 * Math.max(1, Math.ceil(count / 64));
}

const conv = (name: string, outChannels: number, kernel: 1 | 3): ManifestLayer => ({
  type: 'conv',
  name,
  outChannels,
  kernel,
  activation: 'relu',
  weight: `${name}.weight`,
  bias: `${name}.bias`,
});

const conv3 = (name: string, outChannels: number): ManifestLayer => conv(name, outChannels, 3);

const HEAD: ManifestLayer = {
  type: 'linear',
  name: 'fc',
  outFeatures: 5,
  activation: undefined,
  weight: 'fc.weight',
  bias: 'fc.bias',
};

/** A VGG of two stages, nearly all of it by Winograd. */
const DEEP: readonly ManifestLayer[] = [
  conv3('conv1', 8),
  conv3('conv2', 9),
  { type: 'maxpool', name: 'pool2' },
  conv3('conv3', 18),
  conv3('conv4', 11),
  { type: 'maxpool', name: 'pool4' },
  HEAD,
];

/** So many channels that a batch's tiles do not fit one slice, and that quads divide them. */
const WIDE: readonly ManifestLayer[] = [
  conv3('conv1', 8),
  conv3('conv2', 128),
  conv3('conv3', 32),
  { type: 'maxpool', name: 'pool2' },
  HEAD,
];

/** A convolution of 1x1, whose tiles cannot be listed: from there on everything is computed. */
const MIXED: readonly ManifestLayer[] = [
  conv3('conv1', 16),
  { type: 'maxpool', name: 'pool1' },
  conv3('conv2', 9),
  conv('conv3', 3, 1),
  { type: 'globalavgpool', name: 'gap' },
];

/** Odd sizes, whose pooling drops a row and a column. */
function small(
  layers: readonly ManifestLayer[],
  size: { readonly width: number; readonly height: number },
): Pick<Trial, 'model' | 'image'> {
  const model = smallModel({ layers, targetLayer: 'conv1', ...size });
  const image = normalise(smallImage(size.width, size.height), model.manifest);
  return { model, image: Float32Array.from(image) };
}

const trials: readonly Omit<Trial, 'model' | 'image'>[] = [
  {
    what: 'two stages of VGG',
    mapHeight: 9,
    mapWidth: 10,
    alignCorners: false,
    memoryBudget: 2 ** 28,
  },
  {
    what: 'aligned corners, few masks a batch',
    mapHeight: 12,
    mapWidth: 7,
    alignCorners: true,
    memoryBudget: 3_000_000,
  },
];

export const cases: GpuCase[] = [
  ...trials.flatMap((trial): GpuCase[] => {
    const whole = (): Trial => ({ ...trial, ...small(DEEP, { width: 70, height: 61 }) });
    return [
      {
        name: `skipping changes no bit: ${trial.what}`,
        usually: trial.alignCorners ? [] : ['chrome'],
        run: (gpu) => compare(gpu, whole()),
      },
      {
        name: `skipping changes no bit, as on a GPU: ${trial.what}`,
        // Slow to compile; a small device of Dawn runs the other of them (dawn_small_device.test.ts).
        usually: trial.alignCorners ? [] : ['chrome'],
        run: (gpu) => compareAsOnGpu(gpu, whole()),
      },
      {
        name: `tiles are listed as the reference has them: ${trial.what}`,
        run: (gpu) => compareLists(gpu, whole()),
      },
    ];
  }),
  // Barriers make them slow to compile, so one of the trials, and listed places alone in each run (fused.gpu.ts).
  ...[true, false].map((isDirectFirst) => ({
    name: `skipping changes no bit, F(2x2) ${isDirectFirst ? 'behind the first layer' : 'in all layers'}`,
    usually: [],
    run: (gpu: Gpu) =>
      compareFused(
        gpu,
        { ...(trials[0] as Trial), ...small(DEEP, { width: 70, height: 61 }) },
        isDirectFirst,
      ),
  })),
  {
    name: 'skipping changes no bit, F(4x4) in one kernel behind the first layer',
    usually: [],
    run: (gpu) =>
      compareFused4x4(gpu, { ...(trials[0] as Trial), ...small(DEEP, { width: 70, height: 61 }) }),
  },
  {
    name: 'skipping changes no bit: more tiles than a slice',
    run: (gpu) =>
      compare(gpu, {
        what: 'wide',
        ...small(WIDE, { width: 72, height: 61 }),
        mapHeight: 9,
        mapWidth: 11,
        alignCorners: false,
        memoryBudget: 2 ** 28,
        sliced: true,
      }),
  },
  {
    name: 'skipping changes no bit: a convolution of 1x1 between',
    run: (gpu) =>
      compare(gpu, {
        what: 'mixed',
        ...small(MIXED, { width: 45, height: 39 }),
        mapHeight: 9,
        mapWidth: 11,
        alignCorners: false,
        memoryBudget: 2 ** 28,
      }),
  },
];
