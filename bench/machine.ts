/** The machine that Node runs on, and results with what is known of where they were measured. */
import { cpus } from 'node:os';
import { today } from '../cli/words';
import { type BenchFile, FORMAT, type Machine, type Measured } from './measure/types';
import type { BenchOptions } from './options';

export function processors(): Pick<Machine, 'cpu' | 'cores'> {
  return { cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length };
}

/** @param runtime browser with its version, or Dawn in Node */
export function benchFile(
  measured: Measured,
  runtime: string,
  stated: BenchOptions['stated'],
): BenchFile {
  return {
    format: FORMAT,
    date: today(),
    machine: { ...processors(), runtime, platform: `${process.platform} ${process.arch}` },
    ...(Object.keys(stated).length > 0 ? { stated } : {}),
    ...measured,
  };
}
