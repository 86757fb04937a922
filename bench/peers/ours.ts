import { Arena } from '../../src/gpu/arena';
import { Gpu } from '../../src/gpu/gpu';
import type { Model } from '../../src/model/model';
import { compile } from '../../src/plan/compile';
import { needsOf } from '../../src/plan/needs';
import { graphKit } from '../../src/runtime/graph-kit';
import { NetworkWeights } from '../../src/runtime/network-weights';
import { Runner } from '../../src/runtime/runner';
import type { Ready } from './contender';

/** What createExplainer does, and of Explainer.classify what lies between the normalised image and the logits. */
export async function prepareOurs({ network, weights }: Model): Promise<Ready> {
  const gpu = await Gpu.create({ needs: needsOf(network) });
  const plan = compile(network, gpu.facts, { graph: await graphKit(network) });
  const runner = new Runner(gpu, plan, await NetworkWeights.load(gpu, plan, weights));
  return {
    run: async (input) => {
      const arena = new Arena(gpu);
      try {
        return (await runner.forward(arena.upload('image', input), arena)).logits;
      } finally {
        arena.dispose();
      }
    },
  };
}
