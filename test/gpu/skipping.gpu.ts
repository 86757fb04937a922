import { normalise } from '../../src/explain/image';
import { mapRanges } from '../../src/kernels/map_ranges';
import type { ManifestLayer } from '../../src/model/manifest';
import type { Model } from '../../src/model/model';
import { Arena } from '../../src/runtime/arena';
import type { Gpu } from '../../src/runtime/gpu';
import { NetworkWeights } from '../../src/runtime/network-weights';
import { type Masks, Runner } from '../../src/runtime/runner';
import type { GpuCase } from '../harness/case';
import { smallImage, smallLayers, smallModel } from '../harness/small-model';

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
}

/** The logits with and without skipping, bit for bit, and the share of work that masks reach. */
async function compare(gpu: Gpu, trial: Trial): Promise<string> {
  const { model, mapHeight, mapWidth, alignCorners, memoryBudget } = trial;
  const { network } = model;
  const arena = new Arena(gpu);
  const weights = await NetworkWeights.load(gpu, network, model.weights, { dtype: 'f32' });
  const runner = new Runner(gpu, network, weights);
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
  await gpu.submit('ranges', [
    mapRanges({
      label: 'maps',
      maps,
      count: names.length,
      mapHeight,
      mapWidth,
      height,
      width,
      alignCorners,
      ranges,
    }),
  ]);
  // Not in order, and one twice.
  const channels = Uint32Array.of(2, 0, 1, 6, 4, 3, 5, 0);
  const masks: Masks = { maps, height: mapHeight, width: mapWidth, ranges, channels, alignCorners };
  const image = arena.upload('image', trial.image);
  try {
    const shares: number[] = [];
    const onShare = (share: number): number => shares.push(share);
    const dense = await runner.maskedLogits(image, masks, { memoryBudget, skip: false, onShare });
    const skipped = await runner.maskedLogits(image, masks, { memoryBudget, onShare });
    if (shares.length !== 1) throw new Error(`${shares.length} shares, expected one`);
    const [share] = shares as [number];
    // Or the case would compare a dense run with itself.
    if (!(share > 0 && share < 0.9)) throw new Error(`masks reach ${share} of the work`);
    const bits = (values: Float32Array): string => new Uint32Array(values.buffer).join();
    if (bits(dense) !== bits(skipped)) {
      const worst = dense.reduce(
        (most, v, i) => Math.max(most, Math.abs(v - (skipped[i] as number))),
        0,
      );
      throw new Error(`logits differ by up to ${worst}, reach ${share}`);
    }
    if (new Set(dense).size < dense.length / 2) throw new Error('logits hardly differ');
    return `${(100 * share).toFixed(0)} % of the work is reached`;
  } finally {
    arena.dispose();
    weights.dispose();
  }
}

const conv3 = (name: string, outChannels: number): ManifestLayer => ({
  type: 'conv',
  name,
  outChannels,
  kernel: 3,
  activation: 'relu',
  weight: `${name}.weight`,
  bias: `${name}.bias`,
});

/** A VGG of two stages, nearly all of it by Winograd. */
const DEEP: readonly ManifestLayer[] = [
  conv3('conv1', 8),
  conv3('conv2', 9),
  { type: 'maxpool', name: 'pool2' },
  conv3('conv3', 16),
  conv3('conv4', 9),
  { type: 'maxpool', name: 'pool4' },
  {
    type: 'linear',
    name: 'fc',
    outFeatures: 5,
    activation: undefined,
    weight: 'fc.weight',
    bias: 'fc.bias',
  },
];

/** Odd sizes, pooling that drops a row, a convolution of 1x1, no pooling. */
function small(
  layers: readonly ManifestLayer[],
  size = { width: 45, height: 39 },
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
  ...trials.map(
    (trial): GpuCase => ({
      name: `skipping changes no bit: ${trial.what}`,
      run: (gpu) => compare(gpu, { ...trial, ...small(DEEP, { width: 70, height: 61 }) }),
    }),
  ),
  ...(['vggLike', 'poolingHead'] as const).map(
    (layers): GpuCase => ({
      name: `skipping changes no bit: ${layers} at 39 x 45`,
      run: (gpu) =>
        compare(gpu, {
          what: layers,
          ...small(smallLayers[layers]),
          mapHeight: 9,
          mapWidth: 11,
          alignCorners: false,
          memoryBudget: 2 ** 28,
        }),
    }),
  ),
];
