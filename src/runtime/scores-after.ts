import { ScoreCamError } from '../errors';
import { Arena } from '../gpu/arena';
import type { Dispatch, Slice } from '../gpu/kernel';
import { passesBehind } from '../plan/batches';
import { runBatches } from './batches';
import type { Engine } from './engine';
import { asTheyCome, FinishedScores, finish } from './finished';
import { halving } from './halving';
import { Recorder } from './recorder';
import type { PassOptions } from './runner';
import { NO_SCORES, type Scores } from './scores';

/**
 * Records the dispatches that write tensors first .. first + batch - 1 into `output`; what it uploads goes into `uploads`,
 * which lives as long as the batch.
 */
export type Fill = (
  first: number,
  batch: number,
  output: Slice,
  uploads: Arena,
) => readonly Dispatch[];

/**
 * Scores [count, classes] of `count` tensors that stand where the output of `layer` would, or where the image would if it
 * is undefined: only what comes after is run.
 * @throws ScoreCamError `not-finite` if a logit overflows; the signal's reason on abort
 */
export async function scoresAfter(
  { gpu, plan, weights }: Engine,
  layer: string | undefined,
  count: number,
  fill: Fill,
  options: PassOptions,
): Promise<Scores> {
  if (count === 0) return NO_SCORES;
  const passes = passesBehind(plan, layer);
  const { finished: journal = new FinishedScores(), onPasses } = options;
  const classes = plan.network.labels.length;
  const finished = journal.next(count, classes);
  await halving(options.memoryBudget, async (memoryBudget) => {
    // Blocks go through one after another.
    const before = finished.through.lastIndexOf(1) + 1;
    const arena = new Arena(gpu);
    try {
      await runBatches(
        gpu,
        new Recorder(weights),
        passes,
        count - before,
        arena,
        {
          ...options,
          memoryBudget,
          onPasses: onPasses && ((done, total) => onPasses(before + done, before + total)),
          overflow: async (at) =>
            new ScoreCamError(
              'not-finite',
              `The logits of pass ${before + at + 1} of ${count} behind ${layer ?? 'the image'} overflow. ` +
                `Use smaller weights${plan.precision !== 'f32' ? ', or precision f32' : ''}.`,
            ),
          onBlock: (first, own) => {
            const items = asTheyCome(own.logits.length / classes);
            const places = items.map((item) => before + first + item);
            finish(finished, places, own, classes);
          },
        },
        (first, batch, uploads) => {
          const output = arena.take('inputs', batch * passes.inputBytes);
          const dispatches = fill(before + first, batch, output, uploads);
          return { dispatches, given: new Map([[passes.input, output]]) };
        },
      );
    } finally {
      arena.dispose();
    }
  });
  return finished;
}
