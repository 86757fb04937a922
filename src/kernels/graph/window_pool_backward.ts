import type { Dispatch, Slice } from '../../gpu/kernel';
import {
  type WindowAveragePoolBackwardArgs,
  windowAveragePoolBackward,
} from './window_average_pool_backward';
import { windowMaxPoolBackward } from './window_max_pool_backward';

export interface WindowPoolBackwardArgs extends WindowAveragePoolBackwardArgs {
  readonly of: 'max' | 'average';
  /** [batch, inChannels, height, width] what was pooled; averages do not need it. */
  readonly input?: Slice | undefined;
}

/**
 * Back through a pooling over any windows.
 * @throws Error where maxima are without what they are of
 */
export function windowPoolBackward(args: WindowPoolBackwardArgs): Dispatch {
  const { of, input, label } = args;
  if (of === 'average') return windowAveragePoolBackward(args);
  if (!input)
    throw new Error(`${label}: maxima lead back to what they are of, which is not given.`);
  return windowMaxPoolBackward({ ...args, input });
}
