import { Arena } from '../../../src/gpu/arena';
import type { Gpu } from '../../../src/gpu/gpu';
import type { Step } from '../ladders';
import type { Scale } from '../scale';
import type { Timer } from '../timer';
import type { Measurement } from '../types';
import type { Subject } from './subject';

/** What measuring needs. */
export interface Bench {
  readonly gpu: Gpu;
  readonly timer: Timer;
  readonly scale: () => Scale;
  readonly onResult: (result: Measurement) => void;
}

/** Times one kernel. */
export function kernelStep(
  { gpu, timer, scale, onResult }: Bench,
  subject: Subject,
  section: 'kernels' | 'first layer',
): Step {
  const { name, group } = subject;
  return {
    name,
    run: async () => {
      const arena = new Arena(gpu);
      try {
        const { load = [], run, ...cost } = subject.record(arena, scale());
        await gpu.submit(`load ${name}`, load);
        onResult({ section, group, name, ...cost, ...(await timer.time(name, run)) });
      } finally {
        arena.dispose();
      }
    },
  };
}
