/** What methods share that alter the activation maps and run only the layers behind them. */
import type { Forward, Target } from '../../forward';
import { progressMeter } from '../../progress';
import type { RunOptions } from '../method';
import { type Scores, scoresOf } from './masked-scores';

interface Alteration {
  /** How many altered copies of the target's maps there are. */
  readonly count: (target: Target) => number;
  readonly fill: (target: Target) => Parameters<Forward['runner']['logitsAfter']>[2];
}

type Kept = Pick<Target, 'name' | 'maps' | 'constantChannels'>;

/** The scores of every altered copy of every target's maps, and how many there were. */
export async function scoreTargets(
  { runner, targets }: Forward,
  { memoryBudget, signal, onProgress }: RunOptions,
  { count, fill }: Alteration,
): Promise<{ head: number; layers: { target: Kept; scores: Scores }[] }> {
  const total = targets.reduce((sum, target) => sum + count(target), 0);
  const meter = progressMeter('masks', onProgress);
  const layers: { target: Kept; scores: Scores }[] = [];
  let before = 0;
  for (const target of targets) {
    const own = count(target);
    const done = before;
    const onMasks = (masked: number): void => meter(done + masked, total);
    const run = { memoryBudget, signal, onMasks };
    const logits = await runner.logitsAfter(target.name, own, fill(target), run);
    const { name, maps, constantChannels } = target;
    layers.push({
      target: { name, maps, constantChannels },
      scores: await scoresOf(runner, logits),
    });
    before += own;
  }
  return { head: total, layers };
}
