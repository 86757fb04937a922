import { describe, expect, it } from 'vitest';
import { ScoreCamError } from '../src/errors';
import { checkedGrid, gridOf, MORE, workgroupsOf } from '../src/gpu/workgroups';

describe('gridOf', () => {
  it.each([
    [1, 1],
    [64, 1],
    [65, 2],
    [65535 * 64, 65535],
  ])('takes one dimension while it can: %i items', (items, x) => {
    expect(gridOf('test', items, 64)).toEqual([x, 1, 1]);
  });

  it.each([65535 * 64 + 1, 268_435_456])('goes on in y: %i items', (items) => {
    const [x, y, z] = gridOf('test', items, 64);
    expect(z).toBe(1);
    expect(x).toBeLessThanOrEqual(65535);
    expect(x * y * 64).toBeGreaterThanOrEqual(items);
    expect(x * (y - 1) * 64).toBeLessThan(items);
  });
});

describe('checkedGrid', () => {
  it('passes a grid at the limit', () => {
    expect(checkedGrid('test', [65535, 1, 1])).toEqual([65535, 1, 1]);
  });

  it('refuses one above, naming value and limit', () => {
    const refused = () => checkedGrid('pool5', [1, 65536, 1]);
    expect(refused).toThrow(ScoreCamError);
    expect(refused).toThrow(/pool5.*65536.*65535/);
  });
});

describe('workgroupsOf', () => {
  const rule = { together: 16, items: 3, size: 4, y: 5, z: 36 };

  it.each([
    [0, 0],
    [1, 1],
    [16, 1],
    [17, 2],
    [48, 3],
  ])('%i places are %i workgroups', (places, x) => {
    expect(workgroupsOf('test', rule, places)).toEqual([x, 5, 36]);
  });

  it.each([
    ['y', { ...rule, y: MORE }, [45_000, 3, 36]],
    ['z', { ...rule, z: MORE }, [45_000, 5, 3]],
  ] as const)('goes on in %s', (_, one, expected) => {
    expect(workgroupsOf('test', one, 16 * 180_000)).toEqual(expected);
  });

  it('refuses more than one dimension has room for', () => {
    const one = { together: 1, items: 1, size: 1, y: 1, z: 1 };
    const refused = () => workgroupsOf('conv1', one, 65536);
    expect(refused).toThrow(ScoreCamError);
    expect(refused).toThrow(/conv1.*65536.*65535/);
  });
});
