import { normalise } from '../../src/explain/image';
import { Arena } from '../../src/gpu/arena';
import type { Gpu, GpuData } from '../../src/gpu/gpu';
import { packConv } from '../../src/kernels/convolution/conv';
import { turnedBytes, turnFilters } from '../../src/kernels/convolution/turn_filters';
import { activationBackward } from '../../src/kernels/layers/activation_backward';
import { globalAveragePoolBackward } from '../../src/kernels/layers/global_average_pool_backward';
import { maxPoolBackward } from '../../src/kernels/layers/max_pool_backward';
import { rowStride } from '../../src/kernels/linear/linear';
import { linearBackward } from '../../src/kernels/linear/linear_backward';
import type { WeightDtype } from '../../src/numbers/dtypes';
import { type Choices, compile } from '../../src/plan/compile';
import { gradients, runTaped } from '../../src/runtime/backward';
import { layersToKeep } from '../../src/runtime/layers-to-keep';
import { NetworkWeights } from '../../src/runtime/network-weights';
import { Runner } from '../../src/runtime/runner';
import type { GpuCase } from '../harness/case';
import { assertClose, sumTolerance, testValues } from '../harness/compare';
import { smallImage, smallLayers, smallModel } from '../harness/small-model';
import { backwardReference } from '../reference/backward';
import { forwardReference } from '../reference/score_cam';

const floats = (values: ArrayLike<number>): Float32Array<ArrayBuffer> => Float32Array.from(values);
const sliceOf = (gpu: Gpu, values: GpuData) => ({ buffer: gpu.upload('values', values) });
/** Never zero beforehand, so that what a kernel does not write shows. */
const resultOf = (gpu: Gpu, count: number) => sliceOf(gpu, new Float32Array(count).fill(77));

/** Values of whole numbers a form holds exactly, with the bytes it holds them in. */
function exactWeights(
  rows: number,
  inFeatures: number,
  dtype: WeightDtype,
): { values: Float32Array; bytes: GpuData } {
  const stride = rowStride(inFeatures);
  const values = testValues(rows * inFeatures, 3).map((value) => Math.round(100 * value));
  const padded = new Float32Array(rows * stride);
  values.forEach((value, i) => {
    padded[Math.floor(i / inFeatures) * stride + (i % inFeatures)] = value;
  });
  if (dtype === 'f32') return { values, bytes: padded };
  if (dtype === 'int8') {
    return { values, bytes: new Uint32Array(Int8Array.from(padded).buffer) };
  }
  const halves = Uint16Array.from(padded, halfOfInteger);
  return { values, bytes: new Uint32Array(halves.buffer) };
}

/** The f16 bits of a whole number of at most 2048, from the format's definition. */
function halfOfInteger(value: number): number {
  if (value === 0) return 0;
  const exponent = Math.floor(Math.log2(Math.abs(value)));
  const fraction = Math.abs(value) / 2 ** exponent - 1;
  return (value < 0 ? 0x8000 : 0) | ((exponent + 15) << 10) | (fraction * 1024);
}

const linearCases = (['f32', 'f16', 'int8'] as const).flatMap((dtype) =>
  (
    [
      [1, 1, 1, [0]],
      [7, 5, 2, [0, 3]],
      [130, 67, 1, [0, 1, 40]],
      [259, 9, 3, [0]],
    ] as const
  ).map(
    ([inFeatures, outFeatures, batch, starts]): GpuCase => ({
      name: `linear, ${dtype}: ${inFeatures} -> ${outFeatures}, batch ${batch}, shards ${starts.length}`,
      async run(gpu) {
        const gradient = testValues(batch * outFeatures, 1) as Float32Array<ArrayBuffer>;
        const affine = testValues(2 * outFeatures, 2) as Float32Array<ArrayBuffer>;
        const result = resultOf(gpu, batch * inFeatures);
        const { values } = exactWeights(outFeatures, inFeatures, dtype);
        const shared = { gradient: sliceOf(gpu, gradient), affine: sliceOf(gpu, affine), result };
        const stride = rowStride(inFeatures);
        await gpu.submit(
          'linear backward',
          starts.map((firstOutput, shard) => {
            const shardOutputs = (starts[shard + 1] ?? outFeatures) - firstOutput;
            const { bytes } = exactWeights(outFeatures, inFeatures, dtype);
            const whole = new Uint8Array(bytes.buffer as ArrayBuffer);
            const rowBytes = (stride * whole.length) / (outFeatures * stride);
            const part = whole.slice(
              firstOutput * rowBytes,
              (firstOutput + shardOutputs) * rowBytes,
            );
            return linearBackward({
              label: 'test',
              dtype,
              inFeatures,
              outFeatures,
              firstOutput,
              shardOutputs,
              batch,
              accumulate: shard > 0,
              weights: sliceOf(gpu, new Uint32Array(part.buffer)),
              ...shared,
            });
          }),
        );
        const expected = new Float64Array(batch * inFeatures);
        const tolerance = new Float64Array(expected.length);
        for (let i = 0; i < expected.length; i++) {
          const [n, k] = [Math.floor(i / inFeatures), i % inFeatures];
          let magnitude = 0;
          for (let o = 0; o < outFeatures; o++) {
            const term =
              (gradient[n * outFeatures + o] as number) *
              (affine[2 * o] as number) *
              (values[o * inFeatures + k] as number);
            expected[i] = (expected[i] as number) + term;
            magnitude += Math.abs(term);
          }
          // The scale is one more product a term, the shards one more sum each.
          tolerance[i] = sumTolerance(outFeatures + 2 + starts.length, magnitude);
        }
        return assertClose('gradient', await gpu.read(result.buffer), expected, tolerance);
      },
    }),
  ),
);

const poolCases = (
  [
    [1, 1, 2, 2],
    [1, 63, 3, 2],
    [2, 32, 5, 7],
    [3, 5, 6, 9],
  ] as const
).map(
  ([batch, channels, height, width]): GpuCase => ({
    name: `max pool, batch ${batch}, channels ${channels}, ${height} x ${width}, with many equal maxima`,
    async run(gpu) {
      const planes = batch * channels;
      // A third is 0, and the others are few: equal maxima everywhere.
      const input = testValues(planes * height * width, 4).map((v) =>
        Math.max(0, Math.round(3 * v)),
      );
      const [h, w] = [Math.floor(height / 2), Math.floor(width / 2)];
      const gradient = testValues(planes * h * w, 5);
      const result = resultOf(gpu, input.length);
      await gpu.submit('max pool backward', [
        maxPoolBackward({
          label: 'test',
          batch,
          channels,
          height,
          width,
          input: sliceOf(gpu, floats(input)),
          gradient: sliceOf(gpu, floats(gradient)),
          result,
        }),
      ]);
      const expected = new Float64Array(input.length);
      gradient.forEach((value, i) => {
        const [p, y, x] = [Math.floor(i / (h * w)), Math.floor(i / w) % h, i % w];
        let best = -1;
        for (const [dy, dx] of [
          [0, 0],
          [0, 1],
          [1, 0],
          [1, 1],
        ] as const) {
          const at = (p * height + 2 * y + dy) * width + 2 * x + dx;
          if (best < 0 || (input[at] as number) > (input[best] as number)) best = at;
        }
        expected[best] = value;
      });
      return assertClose('gradient', await gpu.read(result.buffer), expected, 0);
    },
  }),
);

const elementCases: GpuCase[] = [
  {
    name: 'global average pool: every pixel has the same share',
    async run(gpu) {
      const gradient = testValues(2 * 35, 6);
      const result = resultOf(gpu, 70 * 15);
      await gpu.submit('global average pool backward', [
        globalAveragePoolBackward({
          label: 'test',
          batch: 2,
          channels: 35,
          height: 3,
          width: 5,
          gradient: sliceOf(gpu, floats(gradient)),
          result,
        }),
      ]);
      const expected = Float64Array.from({ length: 70 * 15 }, (_, i) => {
        return (gradient[Math.floor(i / 15)] as number) / 15;
      });
      // WGSL's division is good to 2.5 ULP.
      const tolerance = expected.map((value) => 6 * 2 ** -24 * Math.abs(value));
      return assertClose('gradient', await gpu.read(result.buffer), expected, tolerance);
    },
  },
  ...[0, 0.1].map(
    (activation): GpuCase => ({
      name: `activation of activation ${activation}, which counts at 0, too`,
      async run(gpu) {
        const activated = testValues(131, 7).map((value, i) => (i % 5 ? value : 0));
        const gradient = testValues(131, 8);
        const result = resultOf(gpu, 131);
        await gpu.submit('activation backward', [
          activationBackward({
            label: 'test',
            count: 131,
            activation,
            activated: sliceOf(gpu, floats(activated)),
            gradient: sliceOf(gpu, floats(gradient)),
            result,
          }),
        ]);
        const expected = gradient.map((value, i) =>
          (activated[i] as number) > 0 ? value : Math.fround(activation) * value,
        );
        return assertClose('gradient', await gpu.read(result.buffer), expected, 2 ** -24);
      },
    }),
  ),
];

const turnCases = (
  [
    [1, 1, 3],
    [9, 5, 3],
    [13, 17, 3],
    [6, 11, 1],
  ] as const
).flatMap(([inChannels, outChannels, kernel]) => {
  const shape = { inChannels, outChannels, kernel };
  const taps = kernel * kernel;
  return (['f32', 'f16'] as const).map(
    (dtype): GpuCase => ({
      name: `turned filters from ${dtype}: ${inChannels} -> ${outChannels}, ${kernel}x${kernel}`,
      async run(gpu) {
        // Exact in f16 as well.
        const weights = testValues(outChannels * inChannels * taps, 3).map(
          (value) => Math.round(512 * value) / 512,
        );
        const packed = packConv(weights, new Float32Array(outChannels), shape, dtype);
        const bytes = new Uint32Array(packed.weights.buffer);
        const turned = resultOf(gpu, turnedBytes(shape) / 4);
        const label = 'test';
        const own = { label, shape, dtype, weights: sliceOf(gpu, bytes), turned };
        await gpu.submit('turn', [turnFilters(own)]);
        const exchanged = new Float32Array(weights.length);
        weights.forEach((value, i) => {
          const [o, c, t] = [
            Math.floor(i / (inChannels * taps)),
            Math.floor(i / taps) % inChannels,
            i % taps,
          ];
          exchanged[(c * outChannels + o) * taps + taps - 1 - t] = value;
        });
        const back = { inChannels: outChannels, outChannels: inChannels, kernel };
        const expected = packConv(exchanged, new Float32Array(inChannels), back, 'f32').weights;
        return assertClose('turned', await gpu.read(turned.buffer), expected, 0);
      },
    }),
  );
});

/** Some hundred roundings of values around 1, and Winograd's; relative to the largest of the gradient. */
const TOLERANCE = 1e-4;

/** Wide enough that the way back, too, goes by Winograd on software adapters. */
const wide = smallLayers.vggLike.map((layer) =>
  layer.name === 'conv3' ? { ...layer, outChannels: 12 } : layer,
);
const networks = { ...smallLayers, wide };
/** Logits near each other, so that no probability underflows in f32. */
const unsaturated = (tensor: string, values: Float32Array): void => {
  if (tensor === 'fc3.weight') values.set(values.map((value) => value / 16));
};

const networkCases = (
  [
    ['wide', ['pool1']],
    ['vggLike', ['conv3', 'pool1', 'conv1']],
    ['vggLike', ['pool3', 'conv2']],
    ['poolingHead', ['conv3', 'conv2', 'conv1']],
  ] as const
).map(
  ([layers, targets]): GpuCase => ({
    name: `${layers}, one pass for ${targets.join(', ')}: as f64 says, of logits and probabilities`,
    async run(gpu) {
      const { network, weights, manifest } = smallModel({
        layers: networks[layers],
        change: unsaturated,
      });
      const image = normalise(smallImage(), manifest);
      const outputs = await forwardReference(network, weights, image);
      const notes: string[] = [];
      for (const direct of [false, true]) {
        const choose = direct ? DIRECT : {};
        const plan = compile(network, gpu.facts, { choose });
        const loaded = await NetworkWeights.load(gpu, plan, weights);
        const runner = new Runner(gpu, plan, loaded);
        const tape = await runTaped(runner, sliceOf(gpu, floats(image)), targets);
        for (const of of ['logit', 'probability'] as const) {
          const score = { classIndex: 2, of };
          const asked = { question: [[2, 1]], of } as const;
          const found = await gradients(runner, tape, targets, asked);
          if (found.size !== targets.length) throw new Error(`${found.size} gradients`);
          for (const target of targets) {
            const maps = outputs.get(target) as Float64Array;
            const wanted = await backwardReference(network, weights, target, maps, score);
            const largest = wanted.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
            const actual = found.get(target) ?? [];
            notes.push(assertClose(`${target}, ${of}`, actual, wanted, TOLERANCE * largest));
          }
        }
        loaded.dispose();
      }
      return notes.join('; ');
    },
  }),
);

/** No convolution by Winograd, forwards and backwards. */
const DIRECT: Choices = { conv: () => ({ kind: 'direct', tiling: 'registers' }) };

export const cases: GpuCase[] = [
  ...linearCases,
  ...poolCases,
  ...elementCases,
  ...turnCases,
  ...networkCases,
  {
    name: 'backward passes leave nothing behind on the GPU',
    async run(gpu) {
      const { network, weights, manifest } = smallModel();
      const plan = compile(network, gpu.facts);
      const loaded = await NetworkWeights.load(gpu, plan, weights);
      const runner = new Runner(gpu, plan, loaded);
      const arena = new Arena(gpu);
      const input = arena.upload('image', floats(normalise(smallImage(), manifest)));
      const before = gpu.allocatedBytes;
      const tape = await runTaped(runner, input, ['conv1']);
      if (tape.outputs.size !== layersToKeep(plan, ['conv1']).length) throw new Error('tape');
      await gradients(runner, tape, ['conv1'], { question: [[0, 1]], of: 'logit' });
      if (gpu.allocatedBytes !== before) throw new Error(`${gpu.allocatedBytes} bytes, ${before}`);
      return undefined;
    },
  },
];
