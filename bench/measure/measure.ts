import type { Pixels } from '../../src/explain/pixels';
import { Arena } from '../../src/gpu/arena';
import { Gpu } from '../../src/gpu/gpu';
import type { DispatchTiming } from '../../src/gpu/profiler';
import { softmax } from '../../src/kernels/layers/softmax';
import type { Model } from '../../src/model/model';
import { layerFlops } from '../../src/model/network';
import { seededVgg } from '../../src/model/seeded-vgg';
import { needsOf } from '../../src/plan/needs';
import { firstLayerSubjects, kernelSubjects } from './kernels/all';
import { type Bench, kernelStep } from './kernels/step';
import { runsOn } from './kernels/subject';
import { ladderSteps, type Step } from './ladders';
import { layerResults } from './layers';
import { measurePeak } from './peak';
import { type Scale, scaleOf } from './scale';
import { kernelsOf, runsFor, sums, type Timed, Timer, total } from './timer';
import type { GpuFacts, Measured, Measurement, Peak, SkippingFacts } from './types';
import { LoadedModel, type Ways } from './whole';

/** What the measuring code needs of where it runs: a page, headless Chrome, or Dawn in Node. */
export interface Host {
  /** Asked of the browser unless given. */
  readonly adapter?: GPUAdapter;
  /** The embedded model. */
  model(): Promise<Model>;
  /** The sample image at the model's input size; VGG-16 takes it as well. */
  pixels(): Promise<Pixels>;
  readonly onProgress: (done: number, total: number, what: string) => void;
  readonly onResult: (result: Measurement) => void;
  readonly signal?: AbortSignal;
}

export interface MeasureOptions {
  readonly runs: number;
  /** The ladder alone. */
  readonly ladder: boolean;
}

/** Milliseconds that masked passes of VGG-16 may take at a fifth of the peak, and how many there are at least. */
const MASKED_TIME = 1500;
const FEWEST_MASKS = 2;
const MOST_MASKS = 64;

/** Measures everything there is to measure, one thing at a time; each result is handed over as it comes. */
export async function measure(host: Host, options: MeasureOptions): Promise<Measured> {
  const vgg = seededVgg(16, 1);
  const { adapter } = host;
  const gpu = await Gpu.create({ ...(adapter ? { adapter } : {}), needs: needsOf(vgg.network) });
  try {
    const timer = new Timer(gpu, options.runs);
    const results: Measurement[] = [];
    const onResult = (result: Measurement): void => {
      results.push(result);
      host.onResult(result);
    };
    const found: { peak?: Peak; skipping?: SkippingFacts | undefined } = {};
    const scale = (): Scale => {
      if (!found.peak) throw new Error('The peak is measured first.');
      return scaleOf(gpu, found.peak);
    };
    const bench: Bench = { gpu, timer, scale, onResult };
    const steps: Step[] = [
      { name: 'empty dispatch', run: () => overhead(bench) },
      {
        name: 'peak of the adapter',
        run: async () => {
          found.peak = await measurePeak(gpu, timer, onResult);
        },
      },
      ...(options.ladder
        ? ladderSteps(gpu, timer, scale, onResult)
        : [
            ...kernelSubjects
              .filter(runsOn(gpu))
              .map((subject) => kernelStep(bench, subject, 'kernels')),
            ...firstLayerSubjects.map((subject) => kernelStep(bench, subject, 'first layer')),
            ...ladderSteps(gpu, timer, scale, onResult),
            { name: 'VGG-16', run: async () => wholeVgg(bench, vgg, await host.pixels()) },
            {
              name: 'explanation',
              run: async () => {
                found.skipping = await explanation(bench, await host.model(), await host.pixels());
              },
            },
          ]),
    ];
    for (const [i, step] of steps.entries()) {
      host.signal?.throwIfAborted();
      host.onProgress(i, steps.length, step.name);
      await step.run();
    }
    host.onProgress(steps.length, steps.length, 'done');
    const { clock, runs } = timer;
    const { peak, skipping } = found;
    if (!peak) throw new Error('The peak is measured first.');
    return {
      clock,
      runs,
      adapter: factsOf(gpu),
      peak,
      results,
      ...(skipping ? { skipping } : {}),
    };
  } finally {
    gpu.dispose();
  }
}

function factsOf({ adapter, device }: Gpu): GpuFacts {
  const { maxStorageBufferBindingSize, maxBufferSize, maxComputeWorkgroupStorageSize } =
    device.limits;
  return {
    ...adapter,
    features: [...device.features].sort(),
    limits: { maxStorageBufferBindingSize, maxBufferSize, maxComputeWorkgroupStorageSize },
  };
}

/** The smallest dispatch there is, alone in a submit: by the GPU's clock, and as somebody waits for it. */
async function overhead({ gpu, timer, onResult }: Bench): Promise<void> {
  const arena = new Arena(gpu);
  try {
    const logits = arena.upload('one', Float32Array.of(1));
    const probabilities = arena.take('out', 4);
    const nothing = softmax({ label: 'empty', logits, probabilities, rows: 1, classes: 1 });
    const section = 'overhead';
    onResult({ section, name: 'empty dispatch', ...(await timer.time('empty', [nothing])) });
    const waited = await timer.wait(() => gpu.submit('empty', [nothing]));
    onResult({ section, name: 'empty dispatch, submitted and waited for', ...waited });
  } finally {
    arena.dispose();
  }
}

/** One forward pass, layer by layer and as a whole, and a few masked passes. */
async function wholeVgg(bench: Bench, vgg: Model, pixels: Pixels): Promise<void> {
  const { gpu, timer, onResult } = bench;
  const { network } = vgg;
  const loaded = await LoadedModel.load(gpu, vgg, pixels);
  try {
    const waited = await timer.wait(() => loaded.forward());
    const flop = network.layers.reduce((sum, layer) => sum + layerFlops(layer), 0);
    const profiles: DispatchTiming[][] = [];
    if (timer.clock === 'timestamps') {
      await loaded.forward();
      const count = runsFor(Math.min(...waited.runs), timer.runs);
      for (let i = 0; i < count; i++) profiles.push(await timer.profile(() => loaded.forward()));
      const { peak } = bench.scale();
      for (const result of layerResults(loaded.runner.plan, profiles, peak)) onResult(result);
    }
    const asDirect = profiles[0]?.some(({ kernel }) => kernel.startsWith('winograd')) ?? false;
    const facts = { section: 'whole', group: network.name, flop, asDirect } as const;
    onResult({ ...facts, name: 'forward pass', ...waited });
    if (profiles.length > 0)
      onResult({ ...facts, name: 'forward pass, on the GPU', ...ofProfiles(profiles) });

    const arena = new Arena(gpu);
    try {
      const forward = await loaded.target(arena);
      const wanted = Math.round((MASKED_TIME * 1e6 * bench.scale().peak.gflops) / 5 / flop);
      const count = Math.max(FEWEST_MASKS, Math.min(MOST_MASKS, wanted));
      let masks = 0;
      const run = async () => {
        masks = await loaded.masked(forward, count, { skip: false });
      };
      const timed = await timer.wait(run);
      onResult({
        ...facts,
        name: 'masked passes, nothing skipped',
        batch: masks,
        ...timed,
        flop: masks * flop,
      });
    } finally {
      arena.dispose();
    }
  } finally {
    loaded.dispose();
  }
}

/** The sum of every run's dispatches, and the median of each kernel. */
function ofProfiles(
  profiles: readonly (readonly DispatchTiming[])[],
): Pick<Measurement, 'clock' | 'runs' | 'kernels'> {
  const byKernel = profiles.map((run) => sums(run, ({ kernel, ms }) => [kernel, ms]));
  return { clock: 'timestamps', runs: profiles.map(total), ...kernelsOf(byKernel) };
}

/** How a full explanation is run: what the report compares. */
const EXPLANATIONS: readonly { readonly name: string; readonly ways: Ways }[] = [
  { name: 'as the library does it', ways: {} },
  { name: 'nothing skipped', ways: { skip: false } },
];

/** A full explanation by the embedded model, with and without skipping. */
async function explanation(
  { gpu, timer, onResult }: Bench,
  model: Model,
  pixels: Pixels,
): Promise<SkippingFacts | undefined> {
  const loaded = await LoadedModel.load(gpu, model, pixels);
  try {
    const { network } = model;
    let applied: boolean | undefined;
    let passes = 0;
    const runs = EXPLANATIONS.map(({ name, ways }) => ({
      ways,
      name: `full explanation, ${name}`,
      run: async () => {
        passes = (await loaded.explain(ways)).passes;
      },
    }));
    const waited = await timer.waitInTurn(runs.map(({ run }) => run));
    for (const [i, { ways, name, run }] of runs.entries()) {
      const facts = { section: 'whole', group: network.name, batch: passes } as const;
      onResult({ ...facts, name, ...(waited[i] as Timed) });
      const profile = await timer.profile(run);
      if (profile.length === 0) continue;
      if (ways.skip !== false) applied = profile.some(({ kernel }) => kernel.includes('_listed'));
      onResult({ ...facts, name: `${name}, on the GPU`, ...ofProfiles([profile]) });
    }
    const { reach } = loaded.runner;
    if (!reach) return undefined;
    return {
      ...(applied === undefined ? {} : { applied }),
      reached: reach.share,
      layers: reach.layers.map(({ name, share }) => ({ layer: name, reached: share })),
    };
  } finally {
    loaded.dispose();
  }
}
