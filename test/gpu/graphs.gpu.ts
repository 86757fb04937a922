import { normalise } from '../../src/explain/image';
import { Arena } from '../../src/gpu/arena';
import type { DeviceFacts } from '../../src/gpu/facts';
import type { Gpu } from '../../src/gpu/gpu';
import { type Layer, sizeOf, targetLayers } from '../../src/model/network';
import type { Precision, WeightDtype } from '../../src/numbers/dtypes';
import { compile } from '../../src/plan/compile';
import { gradients, runTaped } from '../../src/runtime/backward';
import { graphKit } from '../../src/runtime/graph-kit';
import { NetworkWeights } from '../../src/runtime/network-weights';
import { Runner } from '../../src/runtime/runner';
import type { GpuCase } from '../harness/case';
import { assertClose, testValues } from '../harness/compare';
import { type SmallGraphName, smallGraph, smallGraphs } from '../harness/small-graph';
import { smallImage } from '../harness/small-model';
import { maskReference, rangesReference } from '../reference/conv';
import { graphBackward, graphForward, logitsOf } from '../reference/graph';

/*
 * Whole networks with branches against their f64 reference, which fuses nothing: forwards, under masks, backwards.
 */

/** Of the largest value: sums of some hundred products, through some ten layers. */
const TOLERANCE = 2e-5;

type Model = ReturnType<typeof smallGraph>;

const largestOf = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((most, value) => Math.max(most, Math.abs(value)), 0);

function close(what: string, actual: ArrayLike<number>, expected: ArrayLike<number>): string {
  return assertClose(what, actual, expected, TOLERANCE * (largestOf(expected) + 1e-3));
}

const imageFor = ({ manifest: { input } }: Model): ImageData =>
  smallImage(input.width, input.height);

interface How {
  readonly facts?: Partial<DeviceFacts>;
  readonly dtype?: WeightDtype;
  readonly precision?: Precision;
}

async function running(
  gpu: Gpu,
  { network, weights }: Model,
  how: How,
  use: (runner: Runner, arena: Arena) => Promise<void>,
): Promise<void> {
  const graph = await graphKit(network);
  const { facts, ...options } = how;
  const plan = compile(network, { ...gpu.facts, ...facts }, { graph, ...options });
  const loaded = await NetworkWeights.load(gpu, plan, weights);
  const arena = new Arena(gpu);
  try {
    await use(new Runner(gpu, plan, loaded), arena);
  } finally {
    arena.dispose();
    loaded.dispose();
  }
}

/** Picked by hand for any adapter: both kinds of kernels. */
const DEVICES = { software: { isFallback: true }, gpu: { isFallback: false } } as const;

/** Those whose kernels differ between devices in more than their tiles; workgroups compile slowly in software. */
const ON_GPUS: readonly SmallGraphName[] = ['residual', 'groups'] as SmallGraphName[];

const names = Object.keys(smallGraphs) as SmallGraphName[];

const forwardCases = names.flatMap((name): GpuCase[] =>
  (ON_GPUS.includes(name) ? (['software', 'gpu'] as const) : (['software'] as const)).map(
    (device) => ({
      name: `${name} as for ${device}: every layer's output, and the logits with all that is fused`,
      async run(gpu) {
        const model = smallGraph(name);
        const image = normalise(imageFor(model), model.manifest);
        const expected = await graphForward(model.network, model.weights, image);
        const notes: string[] = [];
        await running(gpu, model, { facts: DEVICES[device] }, async (runner, arena) => {
          const input = arena.upload('image', Float32Array.from(image));
          const keep = model.network.layers.map((layer) => layer.name);
          const { kept } = await runner.forward(input, arena, keep);
          for (const layer of keep) {
            const read = await gpu.compute(layer, [], [kept.get(layer) as GPUBufferBinding]);
            const values = expected.outputs.get(layer) as Float64Array;
            close(layer, (read[0] as Float32Array).subarray(0, values.length), values);
          }
          const { logits } = await runner.forward(input, arena);
          notes.push(close('logits', logits, logitsOf(model.network, expected)));
        });
        return notes.join('; ');
      },
    }),
  ),
);

const maskedCases = names.flatMap((name): GpuCase[] =>
  (ON_GPUS.includes(name) ? (['software', 'gpu'] as const) : (['software'] as const)).map(
    (device) => ({
      name: `${name} as for ${device}: masked passes in batches are passes of masked images`,
      async run(gpu) {
        const model = smallGraph(name);
        const { network, manifest, weights } = model;
        const { height, width, channels } = network.input;
        const image = normalise(imageFor(model), manifest);
        const spec = { mapHeight: 4, mapWidth: 5, height, width, alignCorners: false };
        const maps = testValues(4 * 20, 17);
        // One map that is zero but for a corner: most of the image is masked away.
        maps.fill(0, 20, 38);
        const ranges = rangesReference(maps, 4, spec);
        const order = [2, 0, 1, 3, 1];
        const classes = manifest.labels.length;
        const notes: string[] = [];
        await running(gpu, model, { facts: DEVICES[device] }, async (runner, arena) => {
          const masks = {
            maps: arena.upload('maps', Float32Array.from(maps)),
            height: spec.mapHeight,
            width: spec.mapWidth,
            ranges: arena.upload('ranges', Float32Array.from(ranges)),
            channels: Uint32Array.from(order),
            alignCorners: false,
          };
          const input = arena.upload('image', Float32Array.from(image));
          const { logits } = await runner.maskedScores(input, masks, { memoryBudget: 2 ** 24 });
          for (const [row, map] of order.entries()) {
            const mask = maskReference(maps, ranges, map, spec);
            const masked = Array.from(
              image,
              (value, i) => value * (mask[i % mask.length] as number),
            );
            if (masked.length !== channels * mask.length) throw new Error('mask and image differ');
            const expected = logitsOf(network, await graphForward(network, weights, masked));
            const actual = logits.subarray(row * classes, (row + 1) * classes);
            notes.push(close(`mask ${row}`, actual, expected));
          }
        });
        return notes.join('; ');
      },
    }),
  ),
);

const backwardCases = names.map(
  (name): GpuCase => ({
    name: `${name}: gradients at every layer, of logits and probabilities`,
    async run(gpu) {
      const model = smallGraph(name);
      const { network, weights, manifest } = model;
      const image = normalise(imageFor(model), manifest);
      const pass = await graphForward(network, weights, image);
      const targets = targetLayers(network).map((layer) => layer.name);
      let worst = 0;
      await running(gpu, model, {}, async (runner, arena) => {
        const input = arena.upload('image', Float32Array.from(image));
        for (const of of ['logit', 'probability'] as const) {
          const score = { classIndex: 1, of };
          const expected = await graphBackward(network, weights, pass, score);
          for (const wanted of [targets, targets.slice(-1)]) {
            const tape = await runTaped(runner, input, wanted);
            const found = await gradients(runner, tape, wanted, score);
            for (const target of wanted) {
              const layer = network.layers.find((one) => one.name === target) as Layer;
              const actual = (found.get(target) as Float32Array).subarray(0, sizeOf(layer.output));
              const values = expected.get(target) as Float64Array;
              const scale = largestOf(values);
              assertClose(`${target}, ${of}`, actual, values, 1e-4 * scale + 1e-9);
              worst = Math.max(
                worst,
                ...actual.map((value, i) => Math.abs(value - (values[i] as number)) / scale),
              );
            }
          }
        }
      });
      return `${targets.length} layers; largest error ${worst.toExponential(1)} of the largest`;
    },
  }),
);

const halfCases = (['residual', 'mobile'] as SmallGraphName[]).map(
  (name): GpuCase => ({
    name: `${name} with f16 weights: the logits of weights rounded so`,
    async run(gpu) {
      const model = smallGraph(name);
      const image = normalise(imageFor(model), model.manifest);
      const expected = logitsOf(
        model.network,
        await graphForward(model.network, model.weights, image),
      );
      let note = '';
      await running(gpu, model, { dtype: 'f16' }, async (runner, arena) => {
        const input = arena.upload('image', Float32Array.from(image));
        const { logits } = await runner.forward(input, arena);
        note = assertClose('logits', logits, expected, 4e-3 * largestOf(expected));
      });
      return note;
    },
  }),
);

export const cases: GpuCase[] = [...forwardCases, ...maskedCases, ...backwardCases, ...halfCases];
