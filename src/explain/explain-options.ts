import type { Explanation } from './explanation';
import type { MethodOptions } from './methods/method-options';
import type { Callbacks } from './types';

/** Options of one explanation. */
export interface ExplainOptions extends MethodOptions, Callbacks {
  /**
   * Of `score-cam` and `faster-score-cam`: hears, several times while masked passes run, what their scores so
   * far make of the image; `preview.channels.evaluated` says how many there are. The most telling maps, those of
   * the largest standard deviation, are run first, so the first preview is near the end result as a rule. The
   * result is the same with and without it. Nobody waits for it; what it throws, or its promise rejects with, is
   * reported as an event listener's is, and stops nothing. Other methods give no previews.
   */
  readonly onPreview?: ((preview: Explanation) => void) | undefined;
  /** Class to explain: the likeliest (`auto`, the default), an index, or a label. */
  readonly class?: number | string | undefined;
}
