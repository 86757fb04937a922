/** Five thousand cases of what files, manifests, options and arguments may be; npm run fuzz has more. */
import { describe, expect, it } from 'vitest';
import { described, watchCases } from './fuzz/watch';

const CASES = 2500;

describe('whatever is given is answered or refused in a sentence', () => {
  it.each([
    ['the same cases each time', 14],
    ['fresh ones', Math.floor(Math.random() * 2 ** 31)],
  ])('%s (seed %i)', async (_, seed) => {
    const { cases, found } = await watchCases({ seed, cases: CASES });
    expect(found && described(found)).toBeUndefined();
    expect(cases).toBeGreaterThanOrEqual(CASES);
  });

  // Of networks in files that others write, five thousand more.
  it.each(['keras-2', 'keras-3', 'keras-plausible', 'onnx', 'onnx-fields'])(
    '%s',
    async (target) => {
      const seed = Math.floor(Math.random() * 2 ** 31);
      const { cases, found } = await watchCases({ target, seed, cases: 1000 });
      expect(found && described(found)).toBeUndefined();
      expect(cases).toBeGreaterThanOrEqual(1000);
    },
  );
});
