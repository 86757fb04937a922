import { Arena } from '../gpu/arena';
import type { Slice } from '../gpu/kernel';
import { BackwardPass, type Score, type Tape } from './backward-pass';
import { earliest, layersToKeep } from './layers-to-keep';
import type { Runner } from './runner';

export type { Score, Tape };

/** A forward pass of one normalised image [3, height, width] that keeps what the way back needs. */
export async function runTaped(
  runner: Runner,
  image: Slice,
  targets: readonly string[],
): Promise<Tape> {
  const arena = new Arena(runner.gpu);
  try {
    const keep = layersToKeep(runner.plan, targets);
    const { logits, kept } = await runner.forward(image, arena, { keep });
    return await readTape(runner, logits, kept, targets);
  } finally {
    arena.dispose();
  }
}

/** Reads back what a forward pass kept. */
export async function readTape(
  { gpu, plan }: Runner,
  logits: Float32Array,
  kept: ReadonlyMap<string, Slice>,
  targets: readonly string[],
): Promise<Tape> {
  const names = layersToKeep(plan, targets);
  const slices = names.map((name) => kept.get(name) as Slice);
  const read = await gpu.compute('what gradients need', [], slices);
  return {
    logits,
    outputs: new Map(names.map((name, i) => [name, read[i] as Float32Array])),
  };
}

/**
 * One backward pass: the gradient of a score with respect to the outputs of the target layers, or the image,
 * [channels, height, width] each, by reverse-mode differentiation layer by layer. At a kink (ReLU at 0, equal
 * maxima) the subgradient is the one PyTorch takes.
 * @param more further tensors on the way whose gradients are wanted: layers `beforeActivation`
 */
export async function gradients(
  { gpu, plan, weights }: Pick<Runner, 'gpu' | 'plan' | 'weights'>,
  tape: Tape,
  targets: readonly string[],
  score: Score,
  more: readonly string[] = [],
): Promise<Map<string, Float32Array<ArrayBuffer>>> {
  const { network } = plan;
  const first = earliest(network, targets);
  const arena = new Arena(gpu);
  try {
    const Pass = plan.options.graph
      ? (await import('./graph/backward')).GraphBackwardPass
      : BackwardPass;
    const pass = new Pass(plan, weights, tape, arena);
    // Everything is uploaded before anything is recorded: what is released may be written again.
    pass.upload(first, score);
    const found = pass.record(first, new Set([...targets, ...more]));
    const read = await gpu.compute(`backward ${network.name}`, pass.dispatches, [
      ...found.values(),
    ]);
    return new Map(
      Array.from(found.keys(), (name, i) => [name, read[i] as Float32Array<ArrayBuffer>]),
    );
  } finally {
    arena.dispose();
  }
}
