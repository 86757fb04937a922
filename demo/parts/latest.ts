/**
 * Asks for a task as often as one likes: it is done one at a time, and whatever is asked for meanwhile is done once, at
 * the end. So a slider draws at the GPU's pace, and last what it shows last.
 * @param task that fails for nobody
 */
export function latest(task: () => Promise<void>): () => void {
  let isWanted = false;
  let isRunning = false;
  const run = async (): Promise<void> => {
    isRunning = true;
    while (isWanted) {
      isWanted = false;
      await task();
    }
    isRunning = false;
  };
  return () => {
    isWanted = true;
    if (!isRunning) void run();
  };
}
