import type { Network } from '../model/network';
import { isSequential } from '../plan/steps';
import type { GraphKit } from './graph-kit';

/** What a network needs besides what every network does; undefined for sequential ones. */
export async function graphKit(network: Network): Promise<GraphKit | undefined> {
  return isSequential(network) ? undefined : (await import('./graph/kit')).kit;
}
