/** What methods share that alter the activation maps and run only the layers behind them. */

import type { Scores } from '../../../runtime/scores';
import { type Fill, scoresAfter } from '../../../runtime/scores-after';
import type { Forward, Target } from '../../forward';
import { progressMeter } from '../../progress';
import type { RunOptions } from '../method';

interface Alteration {
  /** How many altered copies of the target's maps there are. */
  readonly count: (target: Target) => number;
  readonly fill: (target: Target) => Fill;
}

type Kept = Pick<Target, 'name' | 'maps' | 'constantChannels'>;

/** The scores of every altered copy of every target's maps, and how many there were. */
export async function scoreTargets(
  { runner, targets }: Forward,
  { finished, memoryBudget, signal, onProgress }: RunOptions,
  { count, fill }: Alteration,
): Promise<{ head: number; layers: { target: Kept; scores: Scores }[] }> {
  const total = targets.reduce((sum, target) => sum + count(target), 0);
  const meter = progressMeter('masks', onProgress);
  const layers: { target: Kept; scores: Scores }[] = [];
  let before = 0;
  for (const target of targets) {
    const own = count(target);
    const done = before;
    const onPasses = (masked: number): void => meter(done + masked, total);
    const run = { finished, memoryBudget, signal, onPasses };
    const scores = await scoresAfter(runner, target.name, own, fill(target), run);
    const { name, maps, constantChannels } = target;
    layers.push({ target: { name, maps, constantChannels }, scores });
    before += own;
  }
  return { head: total, layers };
}
