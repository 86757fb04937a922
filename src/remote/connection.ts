import type { ExplainOptions } from '../explain/explain-options';
import type { Callbacks } from '../explain/types';
import type { Line } from './line';
import type { State, Task, WorkerCalls } from './protocol';

/** What listens to a task that a worker is at. */
export type Listeners = Callbacks & Pick<ExplainOptions, 'onPreview'>;

/** The page's end of its line to one worker, and the tasks that are under way there. */
export interface Connection {
  readonly line: Line<WorkerCalls>;
  readonly tasks: Map<number, Listeners>;
  /** As last told by the worker. */
  state: State | undefined;
}

let tasksSoFar = 0;

/**
 * Has a task done: `work` sends it. An abort is passed on, and waited for, so that nothing is left behind.
 * @param lasting whether it is listened to for as long as the worker lives
 * @throws the signal's reason on abort
 */
export async function during<Result>(
  { line, tasks }: Connection,
  { signal, onProgress, onPreview }: Listeners,
  work: (task: Task) => Promise<Result>,
  { lasting = false } = {},
): Promise<Result> {
  signal?.throwIfAborted();
  const id = ++tasksSoFar;
  const abort = (): void => line.tell('abort', id);
  tasks.set(id, { signal, onProgress, onPreview });
  signal?.addEventListener('abort', abort);
  try {
    return await work({ id, progress: !!onProgress, preview: !!onPreview });
  } finally {
    signal?.removeEventListener('abort', abort);
    if (!lasting) tasks.delete(id);
    signal?.throwIfAborted();
  }
}
