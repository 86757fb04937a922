/** The work of an evaluation: every image by every method, of which what is done already is left out. */
import { progressMeter, type Step } from '../../src/explain/progress';
import type { Metric } from '../../src/index';
import type { Session } from '../session';
import { type ImageLimits, metricsAt } from './limits';
import { leavesScores } from './reuse';
import type { MethodSpec } from './specs';
import type { Store } from './store';
import type { Planned } from './subjects';

/** How much is done with the first images. */
export interface Counts extends ImageLimits {
  readonly pictures: number;
  readonly sanity: number;
}

/** One image, with all that its place in the list says. */
export interface Task extends Planned {
  readonly metrics: readonly Metric[];
  readonly pictures: boolean;
  readonly sanity: boolean;
}

/** What is to be done for each of the whole list, so that any part of it can be done anywhere. */
export function tasksOf(
  subjects: readonly Planned[],
  metrics: readonly Metric[],
  counts: Counts,
): Task[] {
  return subjects.map((subject, i) => ({
    ...subject,
    metrics: metricsAt(metrics, counts, i),
    pictures: i < counts.pictures,
    sanity: i < counts.sanity,
  }));
}

/** Whether nothing is left to do for it. */
export function isDone(
  task: Task,
  specs: readonly MethodSpec[],
  store: Pick<Store, 'has' | 'sanity'>,
): boolean {
  return (
    specs.every(({ name }) => store.has(task.name, name)) &&
    (!task.sanity || store.sanity.has(task.name))
  );
}

/**
 * Image by image, so that whatever is done is a fair comparison.
 * @param address of the model, for the page
 * @param costsOf passes of each method with such metrics for so many classes
 * @returns boxes that were left out, since the network does not look there
 */
export async function measureAll(
  session: Session,
  store: Store,
  address: string,
  tasks: readonly Task[],
  specs: readonly MethodSpec[],
  steps: number,
  costsOf: (metrics: readonly Metric[], classes: number) => number[],
  onStep: (step: Step) => void,
  signal: AbortSignal,
): Promise<number> {
  // In passes, not in maps: the first images, which have more metrics, would mislead about the rest.
  const costs = tasks.map(({ metrics, classes }) => costsOf(metrics, classes));
  const total = costs.flat().reduce((sum, cost) => sum + cost, 0);
  const meter = progressMeter('passes', onStep, { resumes: true });
  let done = 0;
  let outside = 0;
  for (const [i, task] of tasks.entries()) {
    const isMissing = !isDone(task, specs, store);
    if (isMissing) outside += await session.call('takeSubject', task.take());
    const fresh = new Set<MethodSpec>();
    for (const [j, spec] of specs.entries()) {
      signal.throwIfAborted();
      // What is there already took no time: the meter begins at the first map that is missing.
      if (!store.has(task.name, spec.name)) {
        meter(done, total);
        const { metrics, pictures } = task;
        const before = specs.slice(0, j).findLast(leavesScores);
        // Others are compared with its maps, which the page does not have where an earlier run made them.
        if (before && !fresh.has(before)) {
          await session.call('evaluate', { spec: before, metrics: [], steps, pictures: false });
          fresh.add(before);
        }
        store.add(await session.call('evaluate', { spec, metrics, steps, pictures }));
        fresh.add(spec);
      }
      done += costs[i]?.[j] as number;
    }
    if (isMissing) await randomise(session, store, address, task, specs);
  }
  meter(total, total);
  return outside;
}

/** By at most these methods, of which each stage of the cascade makes a map anew. */
const CASCADED = ['score-cam', 'grad-cam', 'recipro-cam', 'layer-cam'];

/** Cascading randomisation of the image that was taken last, where that is asked of it and not done. */
async function randomise(
  session: Session,
  store: Store,
  address: string,
  { name, sanity }: Task,
  specs: readonly MethodSpec[],
): Promise<void> {
  if (!sanity || store.sanity.has(name)) return;
  const refused = new Set(store.rows.flatMap((row) => (row.refused ? [row.method] : [])));
  const some = CASCADED.map((method) => specs.find((spec) => spec.name === method)).filter(
    (spec): spec is MethodSpec => spec !== undefined && !refused.has(spec.name),
  );
  store.addSanity(name, some.length > 0 ? await session.call('sanity', address, some) : []);
}
