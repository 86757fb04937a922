import { attempt, exactFinder, matchOf, type TensorMatch } from './naming';
import { isWeighted, type Network } from './network';
import type { WeightSource } from './weight-source';

/**
 * Finds the tensors of every layer with weights: by the names under which they are kept, and where the manifest names others
 * by those; for known networks by the names that torchvision, timm and Keras give them (match-others.ts). Shapes and element types are
 * checked; tensors that nobody needs are left alone.
 * @throws ScoreCamError `weights` naming the naming that came closest, what it misses and, where it can
 * be told, what the file is instead.
 */
export async function matchTensors(network: Network, source: WeightSource): Promise<TensorMatch> {
  const names = network.layers.filter(isWeighted);
  const own = attempt(network, source, 'manifest', 'torch', names, exactFinder(source));
  if (own.problems.length === 0) return matchOf(own);
  const { matchOthers } = await import('./match-others');
  return matchOthers(network, source, own);
}
