/** Five thousand ONNX files that are damaged or say something else; npm run fuzz has more. */
import { describe, expect, it } from 'vitest';
import { described, watchCases } from './fuzz/watch';

const CASES = 2500;

describe('an ONNX file that was changed is read right or refused in a sentence', () => {
  it.each([
    ['anywhere', 'onnx'],
    ['in what its fields say', 'onnx-fields'],
  ])('%s', async (_, target) => {
    const { cases, found } = await watchCases({ target, seed: 17, cases: CASES });
    expect(found && described(found)).toBeUndefined();
    expect(cases).toBeGreaterThanOrEqual(CASES);
  });
});
