import { firstLayerSubjects, kernelSubjects } from '../../bench/measure/kernels/all';
import { kernelStep } from '../../bench/measure/kernels/step';
import { runsOn, type Subject, type Tensors } from '../../bench/measure/kernels/subject';
import { ladderSteps, type Step } from '../../bench/measure/ladders';
import { layerResults } from '../../bench/measure/layers';
import { measurePeak } from '../../bench/measure/peak';
import { type Scale, scaleOf } from '../../bench/measure/scale';
import { Timer } from '../../bench/measure/timer';
import type { Measurement, Peak } from '../../bench/measure/types';
import { type Fact, factOf } from '../../bench/report/facts';
import { Arena } from '../../src/gpu/arena';
import type { DispatchTiming } from '../../src/gpu/profiler';
import type { Runner } from '../../src/runtime/runner';

/** Runs of each measurement; their median counts. */
const RUNS = 3;

export const LADDERS = ['3x3', 'fully connected'] as const;
export type Ladder = (typeof LADDERS)[number];

/** The benchmark's measurements, one at a time as somebody asks for them, on the device of a runner. */
export class KernelBench {
  /** Of this adapter, once it is measured. */
  peak: Peak | undefined;
  private readonly runner: Runner;

  constructor(runner: Runner) {
    this.runner = runner;
  }

  /** Where times come from: the GPU's own clock, if there is one. */
  get hasTimestamps(): boolean {
    return this.timer.clock === 'timestamps';
  }

  /** The fastest multiply-adds and the fastest traffic of kernels that do nothing else. */
  async roof(): Promise<Peak> {
    this.peak ??= await measurePeak(this.runner.gpu, this.timer, () => {});
    return this.peak;
  }

  /** Every dispatch of some work, with the time it took; none where there are no timestamps. */
  profile(work: () => Promise<unknown>): Promise<DispatchTiming[]> {
    return this.timer.profile(work);
  }

  /** One forward pass of an image [3, height, width], normalised, layer by layer; as {@link profile}. */
  async layers(input: Float32Array<ArrayBuffer>): Promise<Measurement[]> {
    const { runner } = this;
    const arena = new Arena(runner.gpu);
    try {
      const image = arena.upload('image', input);
      const run = () => runner.forward(image, arena);
      // Compiles the pipelines of one image, which masked passes have no use for.
      await run();
      const profile = await this.profile(run);
      return profile.length > 0 ? layerResults(runner.plan, [profile]) : [];
    } finally {
      arena.dispose();
    }
  }

  /** Some subjects, as shares of the roof; `onSubject` hears of each before it is measured. */
  async measure(
    subjects: readonly Subject[],
    onSubject: (done: number, total: number) => void,
    signal: AbortSignal,
  ): Promise<Fact[]> {
    const found: Measurement[] = [];
    const { scale } = await this.scaled();
    const bench = {
      gpu: this.runner.gpu,
      timer: this.timer,
      scale,
      onResult: (result: Measurement) => found.push(result),
    };
    for (const [done, subject] of subjects.entries()) {
      signal.throwIfAborted();
      onSubject(done, subjects.length);
      await kernelStep(bench, subject, 'kernels').run();
    }
    return this.facts(found);
  }

  /** The rungs of a ladder; each is heard of with all before it. */
  async climb(
    ladder: Ladder,
    onRung: (done: number, total: number) => void,
    signal: AbortSignal,
  ): Promise<Fact[]> {
    const found: Measurement[] = [];
    const { scale } = await this.scaled();
    const onResult = (result: Measurement): void => {
      found.push(result);
    };
    const steps = ladderSteps(this.runner.gpu, this.timer, scale, onResult).filter((step: Step) =>
      step.name.startsWith(`ladder, ${ladder}:`),
    );
    for (const [done, step] of steps.entries()) {
      signal.throwIfAborted();
      onRung(done, steps.length);
      await step.run();
    }
    return this.facts(found);
  }

  /** What can be measured of some kernels here; of all, if none are named. */
  async subjectsOf(kernels?: readonly string[]): Promise<Subject[]> {
    known ??= allSubjects();
    const wanted = new Set(kernels);
    return (await known).flatMap(({ subject, names }) =>
      runsOn(this.runner.gpu)(subject) && (!kernels || names.some((name) => wanted.has(name)))
        ? [subject]
        : [],
    );
  }

  facts(measurements: readonly Measurement[]): Fact[] {
    const roof = this.peak;
    return measurements.map((each) => factOf(each, roof ?? { gflops: Infinity, gbps: Infinity }));
  }

  private get timer(): Timer {
    return new Timer(this.runner.gpu, RUNS);
  }

  private async scaled(): Promise<{ readonly scale: () => Scale }> {
    const scale = scaleOf(this.runner.gpu, await this.roof());
    return { scale: () => scale };
  }
}

interface Known {
  readonly subject: Subject;
  /** Of the kernels it runs. */
  readonly names: readonly string[];
}

let known: Promise<readonly Known[]> | undefined;

/** Every subject with the kernels it dispatches, which it tells when it is recorded: for tensors that exist nowhere. */
async function allSubjects(): Promise<readonly Known[]> {
  const nowhere = (size: number) => ({ buffer: { size } as GPUBuffer, offset: 0, size });
  const tensors: Tensors = {
    take: (_, bytes) => nowhere(bytes),
    upload: (_, { byteLength }) => nowhere(byteLength),
  };
  const smallest: Scale = {
    peak: { gflops: Number.MIN_VALUE, gbps: Number.MIN_VALUE },
    maxBindingBytes: 2 ** 27,
    small: true,
    quads: 1,
  };
  const found: Known[] = [];
  for (const subject of [...kernelSubjects, ...firstLayerSubjects]) {
    const { run } = subject.record(tensors, smallest);
    found.push({ subject, names: run.map(({ kernel }) => kernel.name) });
    // A third of a second for all of them: the page goes on in between.
    await new Promise((resolve) => setTimeout(resolve));
  }
  return found;
}
