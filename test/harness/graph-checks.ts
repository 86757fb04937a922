/** A whole network on a device against its f64 reference, which fuses nothing. */
import { normalise } from '../../src/explain/image';
import { Arena } from '../../src/gpu/arena';
import type { DeviceFacts } from '../../src/gpu/facts';
import type { Gpu } from '../../src/gpu/gpu';
import type { Model } from '../../src/model/model';
import { IMAGE, isWeighted, type Layer, sizeOf, targetLayers } from '../../src/model/network';
import type { Precision, WeightDtype } from '../../src/numbers/dtypes';
import { compile } from '../../src/plan/compile';
import { beforeActivation } from '../../src/plan/steps';
import { gradients, runTaped } from '../../src/runtime/backward';
import { graphKit } from '../../src/runtime/load-graph-kit';
import { NetworkWeights } from '../../src/runtime/network-weights';
import { Runner } from '../../src/runtime/runner';
import { maskReference, rangesReference } from '../reference/conv';
import { derivativeReference, graphBackward, graphForward, logitsOf } from '../reference/graph';
import { assertClose, testValues } from './compare';
import { smallImage } from './small-model';

/** Of the largest value: sums of some hundred products, through some ten layers. */
const TOLERANCE = 2e-5;
/** Gradients go through as many once more. */
const GRADIENT_TOLERANCE = 1e-4;

/** What differs from what the device says and the defaults are. */
export interface How {
  readonly facts?: Partial<DeviceFacts>;
  readonly dtype?: WeightDtype;
  readonly precision?: Precision;
}

const largestOf = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((most, value) => Math.max(most, Math.abs(value)), 0);

function close(
  what: string,
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance = TOLERANCE,
): string {
  return assertClose(what, actual, expected, tolerance * (largestOf(expected) + 1e-3));
}

const imageFor = ({ manifest }: Model): Float32Array =>
  normalise(smallImage(manifest.input.width, manifest.input.height), manifest);

/** What is done with a network whose weights are on the device. */
export async function running<T>(
  gpu: Gpu,
  { network, weights }: Model,
  { facts, ...options }: How,
  use: (runner: Runner, arena: Arena) => Promise<T>,
): Promise<T> {
  const graph = await graphKit(network);
  const plan = compile(network, { ...gpu.facts, ...facts }, { graph, ...options });
  const loaded = await NetworkWeights.load(gpu, plan, weights);
  const arena = new Arena(gpu);
  try {
    return await use(new Runner(gpu, plan, loaded), arena);
  } finally {
    arena.dispose();
    loaded.dispose();
  }
}

/** Every layer's output where all are kept, and the logits where nothing is and what can be is fused. */
export async function checkForward(gpu: Gpu, model: Model, how: How = {}): Promise<string> {
  const { network, weights } = model;
  const image = imageFor(model);
  const expected = await graphForward(network, weights, image);
  let note = '';
  await running(gpu, model, how, async (runner, arena) => {
    const input = arena.upload('image', Float32Array.from(image));
    const keep = network.layers.map(({ name }) => name);
    const { kept } = await runner.forward(input, arena, { keep });
    for (const layer of keep) {
      const [read] = await gpu.compute(layer, [], [kept.get(layer) as GPUBufferBinding]);
      const values = expected.outputs.get(layer) as Float64Array;
      close(layer, read.subarray(0, values.length), values);
    }
    const { logits } = await runner.forward(input, arena);
    note = close('logits', logits, logitsOf(network, expected));
  });
  return note;
}

/** The logits alone. */
export async function checkLogits(
  gpu: Gpu,
  model: Model,
  how: How,
  tolerance: number,
): Promise<string> {
  const { network, weights } = model;
  const image = imageFor(model);
  const expected = logitsOf(network, await graphForward(network, weights, image));
  let note = '';
  await running(gpu, model, how, async (runner, arena) => {
    const input = arena.upload('image', Float32Array.from(image));
    const { logits } = await runner.forward(input, arena);
    note = close('logits', logits, expected, tolerance);
  });
  return note;
}

/** Masked passes in batches are passes of masked images. */
export async function checkMasked(gpu: Gpu, model: Model, how: How = {}): Promise<string> {
  const { network, manifest, weights } = model;
  const { height, width } = network.input;
  const image = imageFor(model);
  const spec = { mapHeight: 4, mapWidth: 5, height, width, alignCorners: false };
  const maps = testValues(4 * 20, 17);
  // One map that is zero but for a corner: most of the image is masked away.
  maps.fill(0, 20, 38);
  const ranges = rangesReference(maps, 4, spec);
  const order = [2, 0, 1, 3, 1];
  const classes = manifest.labels.length;
  const notes: string[] = [];
  await running(gpu, model, how, async (runner, arena) => {
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
      const masked = Array.from(image, (value, i) => value * (mask[i % mask.length] as number));
      const expected = logitsOf(network, await graphForward(network, weights, masked));
      const actual = logits.subarray(row * classes, (row + 1) * classes);
      notes.push(close(`mask ${row}`, actual, expected));
    }
  });
  return notes.join('; ');
}

/**
 * Gradients at every layer that can be a target, of all of them in one pass and of the last alone; and at the image, and before
 * the activation of every convolution.
 */
export async function checkGradients(gpu: Gpu, model: Model, how: How = {}): Promise<string> {
  const { network, weights } = model;
  const image = imageFor(model);
  const pass = await graphForward(network, weights, image);
  const targets = targetLayers(network).map(({ name }) => name);
  let worst = 0;
  await running(gpu, model, how, async (runner, arena) => {
    const input = arena.upload('image', Float32Array.from(image));
    for (const of of ['logit', 'probability'] as const) {
      const score = { classIndex: 1, of };
      const expected = await graphBackward(network, weights, pass, score);
      if (of === 'logit') {
        const weighted = network.layers.filter(isWeighted).filter(({ type }) => type !== 'linear');
        const tape = await runTaped(runner, input, [IMAGE]);
        const before = weighted.map(({ name }) => beforeActivation(name));
        const asked = { question: [[1, 1]], of } as const;
        const found = await gradients(runner, tape, [IMAGE], asked, before);
        const ofImage = expected.get(IMAGE) as Float64Array;
        const allowed = GRADIENT_TOLERANCE * largestOf(ofImage) + 1e-9;
        assertClose('image', found.get(IMAGE) as Float32Array, ofImage, allowed);
        for (const { name, activation } of weighted) {
          const sums = pass.sums.get(name) as Float64Array;
          const values = (expected.get(name) as Float64Array).map(
            (value, i) => value * derivativeReference(sums[i] as number, activation),
          );
          const actual = found.get(beforeActivation(name)) as Float32Array;
          const scale = GRADIENT_TOLERANCE * largestOf(values) + 1e-9;
          assertClose(beforeActivation(name), actual.subarray(0, values.length), values, scale);
        }
      }
      for (const wanted of [targets, targets.slice(-1)]) {
        const tape = await runTaped(runner, input, wanted);
        const asked = { question: [[1, 1]], of } as const;
        const found = await gradients(runner, tape, wanted, asked);
        for (const target of wanted) {
          const layer = network.layers.find(({ name }) => name === target) as Layer;
          const actual = (found.get(target) as Float32Array).subarray(0, sizeOf(layer.output));
          const values = expected.get(target) as Float64Array;
          const scale = largestOf(values);
          assertClose(`${target}, ${of}`, actual, values, GRADIENT_TOLERANCE * scale + 1e-9);
          worst = Math.max(
            worst,
            largestOf(actual.map((v, i) => v - (values[i] as number))) / scale,
          );
        }
      }
    }
  });
  return `${targets.length} layers; largest error ${worst.toExponential(1)} of the largest`;
}
