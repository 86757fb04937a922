import { giga, type Spread, spreadOf } from '../measure/statistics';
import type { BenchFile, Measurement, Peak } from '../measure/types';

/** A measurement with everything the report says of it. */
export interface Fact {
  readonly measurement: Measurement;
  readonly time: Spread;
  readonly gflops: number | undefined;
  readonly gbps: number | undefined;
  /** Operations a byte. */
  readonly intensity: number | undefined;
  /** Share of the roof at that intensity: 1 if either arithmetic or memory is as busy as it can be. */
  readonly share: number | undefined;
}

/** What the roof is made of: the data sheet's figures where they were given, the measured ones elsewhere. */
export function roofOf({ peak, stated }: Pick<BenchFile, 'peak' | 'stated'>): Peak {
  return { ...peak, ...stated };
}

export function factOf(measurement: Measurement, roof: Peak): Fact {
  const { flop, bytes, runs, asDirect } = measurement;
  const time = spreadOf(runs);
  const least = Math.max((flop ?? 0) / roof.gflops, (bytes ?? 0) / roof.gbps) / 1e6;
  return {
    measurement,
    time,
    gflops: flop ? giga(flop, time.median) : undefined,
    gbps: bytes ? giga(bytes, time.median) : undefined,
    intensity: flop && bytes ? flop / bytes : undefined,
    // Fewer operations were done than counted: no share of what the adapter can do.
    share: least > 0 && time.median > 0 && !asDirect ? least / time.median : undefined,
  };
}
