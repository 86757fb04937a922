/// Runs in headless Chrome: everything that is timed, by the wall clock, after one warm-up.
import { createExplainer, type Explainer } from '../src/index';
import { chooseConvTiling, maskedConv, packConv } from '../src/kernels/conv';
import { chooseConv, methodName } from '../src/kernels/conv_choice';
import type { Dispatch, Slice } from '../src/kernels/kernel';
import { softmax } from '../src/kernels/softmax';
import { winogradFilterBytes, winogradFilters } from '../src/kernels/winograd';
import { seededVgg } from '../src/model/model';
import { layerFlops } from '../src/model/network';
import { Arena } from '../src/runtime/arena';
import { type AdapterFacts, Gpu } from '../src/runtime/gpu';
import { convShape, planSteps } from '../src/runtime/plan';
import { recordMethod } from '../src/runtime/record-conv';
import { convLadder, convLayer, linearLadder, linearLayer, type Recorded } from './ladder/ladder';

export interface Measured {
  readonly name: string;
  /** Milliseconds of each run. */
  readonly runs: readonly number[];
  /** Floating-point operations of one run, where that is known. */
  readonly flop?: number;
}

export interface BenchOptions {
  readonly runs: number;
  /** Times the rungs of the ladder instead. */
  readonly ladder: boolean;
  /** URL of the embedded model's manifest and of an image for it. */
  readonly embedded: string;
  readonly image: string;
}

declare global {
  interface Window {
    bench: typeof bench;
    report(result: Measured): Promise<void>;
  }
}

async function timed(runs: number, work: () => Promise<unknown>): Promise<number[]> {
  await work(); // compiles pipelines and touches memory
  const times: number[] = [];
  for (let i = 0; i < runs; i++) {
    const start = performance.now();
    await work();
    times.push(performance.now() - start);
  }
  return times;
}

/** Measures everything, handing each result to `window.report` as it comes. */
async function bench(options: BenchOptions): Promise<AdapterFacts> {
  if (options.ladder) return ladder(options.runs);
  await model(options.embedded, options, true);
  await model('vgg16-seeded-1', options, false);
  const gpu = await Gpu.create();
  await kernels(gpu, options.runs);
  gpu.dispose();
  return gpu.adapter;
}

/** Every rung on a layer of VGG-16's size: conv3_2 by 64 channels, and a quarter of fc2 for eight images. */
async function ladder(runs: number): Promise<AdapterFacts> {
  const gpu = await Gpu.create();
  const random = (count: number): Float32Array =>
    Float32Array.from({ length: count }, (_, i) => (i % 17) / 8 - 1);
  const time = async (name: string, { load, run }: Recorded, flop: number): Promise<void> => {
    await gpu.submit(name, load);
    await window.report({ name, runs: await timed(runs, () => gpu.submit(name, run)), flop });
  };
  const shape = {
    inChannels: 64,
    outChannels: 64,
    height: 56,
    width: 56,
    kernel: 3,
    slope: 0,
    pool: false,
  } as const;
  for (const rung of convLadder) {
    const arena = new Arena(gpu);
    const layer = convLayer(arena, shape, 1, random(64 * 56 * 56), random(64 * 64 * 9), random(64));
    const flop = 2 * 64 * 64 * 9 * 56 * 56;
    await time(`3x3, 64 to 64 at 56: ${rung.name}`, rung.record(layer), flop);
    arena.dispose();
  }
  const size = { inFeatures: 4096, outFeatures: 1024, slope: 0, batch: 8 };
  for (const rung of linearLadder) {
    const arena = new Arena(gpu);
    const layer = linearLayer(arena, size, random(8 * 4096), random(4096 * 1024), random(1024));
    await time(
      `fully connected, 4096 to 1024, 8 images: ${rung.name}`,
      rung.record(layer),
      2 * 8 * 4096 * 1024,
    );
    arena.dispose();
  }
  gpu.dispose();
  return gpu.adapter;
}

async function model(url: string, options: BenchOptions, whole: boolean): Promise<void> {
  const explainer: Explainer = await createExplainer({ model: url });
  const { name } = explainer.model;
  const image = await (await fetch(options.image)).blob();
  const forward = await timed(options.runs, () => explainer.classify(image));
  await window.report({ name: `${name}: forward pass`, runs: forward });
  if (whole) {
    const runs = await timed(options.runs, () => explainer.explain(image));
    const { channels } = await explainer.explain(image, { channels: [0] });
    await window.report({
      name: `${name}: full explanation, ${channels.total - channels.constant} masked passes`,
      runs,
    });
  }
  explainer.dispose();
}

/** An empty dispatch, VGG-16's convolutions one by one, and the first of them with its mask fused. */
async function kernels(gpu: Gpu, runs: number): Promise<void> {
  const arena = new Arena(gpu);
  const time = async (name: string, dispatches: Dispatch[], flop?: number): Promise<void> => {
    const times = await timed(runs, () => gpu.submit(name, dispatches));
    await window.report({ name, runs: times, ...(flop === undefined ? {} : { flop }) });
  };
  const one = arena.upload('one', Float32Array.of(1));
  const empty = { label: 'empty', logits: one, probabilities: arena.take('out', 4), classes: 1 };
  await time('smallest dispatch (overhead)', [softmax({ ...empty, rows: 1 })]);

  const { network, weights } = seededVgg(16, 1);
  const steps = planSteps(network).filter((step) => step.kind === 'conv');
  const done = new Set<string>();
  for (const step of steps) {
    const { layer } = step;
    const shape = convShape(layer, step.pool);
    const key = JSON.stringify(shape);
    if (done.has(key)) continue;
    done.add(key);
    const method = chooseConv(shape, gpu.convolutions);
    const { channels, height, width } = layer.input;
    const raw = await weights.read(layer.weight, 0, channels * layer.output.channels * 9);
    const packed = packConv(raw, new Float32Array(layer.output.channels), shape, 'f32');
    const random = Float32Array.from({ length: channels * height * width }, (_, i) => (i % 17) - 8);
    const args = {
      label: layer.name,
      shape,
      dtype: 'f32' as const,
      batch: 1,
      weights: arena.upload('weights', packed.weights),
      bias: arena.upload('bias', packed.bias),
      output: arena.take('output', 4 * layer.output.channels * height * width),
    };
    const input = arena.upload('input', random);
    const name = `${layer.name}${step.pool ? ' + pooling' : ''} ${channels}->${layer.output.channels} at ${height}, ${methodName(method)}`;
    let filters: Slice | undefined;
    if (method.kind === 'winograd') {
      // As the explainer does with f32 weights: transformed once, at load.
      filters = arena.take('filters', winogradFilterBytes(shape, method));
      await gpu.submit('filters', [winogradFilters({ ...args, filters, form: method })]);
    }
    const dispatches = recordMethod({ ...args, input, filters }, method, arena);
    // As many operations as a direct convolution needs, whatever is computed.
    await time(name, dispatches, layerFlops(layer));
    if (layer === steps[0]?.layer) {
      const mask = {
        firstMask: 0,
        image: input,
        maps: arena.upload('maps', random.slice(0, 14 * 14)),
        mapHeight: 14,
        mapWidth: 14,
        ranges: arena.upload('ranges', Float32Array.of(-8, 8)),
        channels: arena.upload('channels', Uint32Array.of(0)),
        alignCorners: false,
      };
      const masked = maskedConv(chooseConvTiling(shape, gpu.adapter), { ...args, ...mask });
      await time(`${name}, mask fused`, [masked], layerFlops(layer));
    }
    for (const slice of [args.weights, args.bias, args.output, input, filters]) {
      if (slice) arena.release(slice);
    }
  }
  arena.dispose();
}

window.bench = bench;
