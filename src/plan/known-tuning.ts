import { PRECISIONS, type Precision } from '../numbers/dtypes';
import type { ConvTuning } from './tuning-types';

/*
 * Whether a tuning that is known already is one, and of this GPU.
 */

/** Goes up when kernels change, or how they are timed, so that what is kept is measured anew. */
export const TUNING_VERSION = 5;

/**
 * Whether a tuning was measured on such an adapter and precision, by these kernels. Of an adapter that says what it is
 * that is enough, whatever a device of it was requested with; of one that does not, limits and features must be the
 * same. Methods that the device lacks are never taken: see `tunedMethods`.
 */
export function suits(tuning: ConvTuning, adapterKey: string, precision: Precision): boolean {
  const nameIn = (key: string): string => key.slice(0, key.lastIndexOf('/'));
  const name = nameIn(adapterKey);
  return (
    tuning.version === TUNING_VERSION &&
    (tuning.adapter === adapterKey || (/[^/]/.test(name) && nameIn(tuning.adapter) === name)) &&
    tuning.precision === precision
  );
}

/**
 * A tuning as it comes out of a cache or from a page; undefined if it is none. Methods are names that are looked up
 * among those the device has, so that nothing in it is trusted further.
 */
export function checkedTuning(value: unknown): ConvTuning | undefined {
  const { version, adapter, precision, layers } = (value ?? {}) as Partial<ConvTuning>;
  const whole =
    typeof version === 'number' &&
    typeof adapter === 'string' &&
    PRECISIONS.some((own) => own === precision) &&
    typeof layers === 'object' &&
    layers !== null &&
    Object.values(layers).every(
      (layer) => typeof layer?.method === 'string' && Array.isArray(layer.measured),
    );
  return whole ? (value as ConvTuning) : undefined;
}
