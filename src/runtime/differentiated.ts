import type { Arena } from '../gpu/arena';
import type { Dispatch, Slice } from '../gpu/kernel';
import { IMAGE, type Layer } from '../model/network';
import { keeping } from '../plan/compile';
import { BackwardPass, type Score } from './backward-pass';
import type { Engine } from './engine';
import { layersToKeep } from './layers-to-keep';
import { Recorder } from './recorder';

/**
 * A forward pass and the way back to the image, recorded to be run any number of times in which nothing leaves the GPU.
 * @param image normalised, [channels, height, width], of this arena; written anew before each run
 * @param score of logits: the gradient of a probability begins with what the forward pass gives
 */
export async function recordDifferentiated(
  { plan, weights }: Engine,
  image: Slice,
  arena: Arena,
  score: Score & { readonly of: 'logit' },
): Promise<{ readonly dispatches: readonly Dispatch[]; readonly gradient: Slice }> {
  const { network } = plan;
  const Pass = plan.options.graph
    ? (await import('./graph/backward')).GraphBackwardPass
    : BackwardPass;
  const logits = new Float32Array(network.labels.length);
  const pass = new Pass(plan, weights, { logits, outputs: new Map() }, arena);
  // Before anything is recorded: what is released may be written again.
  pass.upload(-1, score);
  const { steps } = keeping(plan, layersToKeep(plan, [IMAGE]));
  const forward = new Recorder(weights).steps(steps, new Map([[IMAGE, image]]), {
    batch: 1,
    arena,
  });
  for (const [name, slice] of forward.tensors) pass.outputs.set(name, slice);
  // The gradient of the logits is needed again in the next run, so it must not go back to the arena.
  const last = (network.layers.at(-1) as Layer).name;
  const found = pass.record(-1, new Set([IMAGE, last]));
  return {
    dispatches: [...forward.dispatches, ...pass.dispatches],
    gradient: found.get(IMAGE) as Slice,
  };
}
