import { Arena } from '../../src/gpu/arena';
import { Gpu } from '../../src/gpu/gpu';
import type { DispatchTiming } from '../../src/gpu/profiler';
import type { Model } from '../../src/model/model';
import { compile } from '../../src/plan/compile';
import { needsOf } from '../../src/plan/needs';
import { graphKit } from '../../src/runtime/load-graph-kit';
import { NetworkWeights } from '../../src/runtime/network-weights';
import { Runner } from '../../src/runtime/runner';
import { layerResults } from '../measure/layers';
import { Timer } from '../measure/timer';
import type { Ready } from './contender';
import type { StepTime } from './types';

type Input = Float32Array<ArrayBuffer>;

/** What createExplainer does, and of Explainer.classify what lies between the normalised image and the logits. */
export async function prepareOurs(model: Model): Promise<Ready> {
  const { gpu, runner } = await loaded(model);
  return { run: (input) => forward(gpu, runner, input) };
}

/** Where a forward pass spends its time: each step by the GPU's clock; nothing where it has none. */
export async function profileOurs(
  model: Model,
  input: Input,
  runs: number,
): Promise<readonly StepTime[]> {
  const { gpu, runner } = await loaded(model);
  try {
    const timer = new Timer(gpu, runs);
    if (timer.clock === 'wall clock') return [];
    await forward(gpu, runner, input);
    const profiles: DispatchTiming[][] = [];
    for (let i = 0; i < runs; i++) {
      profiles.push(await timer.profile(() => forward(gpu, runner, input)));
    }
    return layerResults(runner.plan, profiles);
  } finally {
    gpu.dispose();
  }
}

async function loaded({ network, weights }: Model): Promise<{ gpu: Gpu; runner: Runner }> {
  const gpu = await Gpu.create({ needs: needsOf(network) });
  const plan = compile(network, gpu.facts, { graph: await graphKit(network) });
  return { gpu, runner: new Runner(gpu, plan, await NetworkWeights.load(gpu, plan, weights)) };
}

async function forward(gpu: Gpu, runner: Runner, input: Input): Promise<Float32Array> {
  const arena = new Arena(gpu);
  try {
    const image = arena.upload('image', input);
    return (await runner.forward(image, arena, { magnitudes: false })).logits;
  } finally {
    arena.dispose();
  }
}
