/** The methods as data: Node imports them without a browser, and docs/methods.md lists what they say. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { projectRoot } from '../cli/server';
import { admittedMethods } from '../src/explain/methods/choose';
import { METHOD_NAMES, METHODS, type Method } from '../src/explain/methods/registry';
import { smallLayers, smallModel } from './harness/small-model';

const target = { channels: 64, positions: 196, classes: 3 };

/** Cells of the table of docs/methods.md that begins with the column `method`, a row a method. */
function documented(): Map<string, readonly string[]> {
  const lines = readFileSync(join(projectRoot, 'docs/methods.md'), 'utf8').split('\n');
  const head = lines.indexOf('| method | map | source | passes | options |');
  expect(head).toBeGreaterThan(0);
  const rows = lines.slice(head + 2, lines.indexOf('', head));
  return new Map(
    rows.map((line) => {
      const [name = '', ...cells] = line.slice(2, -1).split(' | ');
      return [name.trim().replaceAll('`', ''), cells.map((cell) => cell.trim())];
    }),
  );
}

describe('docs/methods.md', () => {
  it('lists every method, in the order of the registry', () => {
    expect([...documented().keys()]).toEqual(METHOD_NAMES);
  });

  it.each(METHOD_NAMES)('says of %s what the registry says', (name) => {
    const { source, options, cost } = METHODS[name];
    const [map, shownSource, passes, shownOptions] = documented().get(name) ?? [];
    const listed = Object.entries(options).map(([option, value]) =>
      value === undefined ? `\`${option}\`` : `\`${option}\` (${value})`,
    );
    expect(map).not.toBe('');
    expect([shownSource, shownOptions]).toEqual([source, listed.join(', ')]);
    const { backward, head } = cost({}, target);
    expect(passes?.includes('backward')).toBe(backward > 0);
    expect(passes?.includes('the layers behind the target')).toBe(head > 0);
  });
});

describe('a method', () => {
  const costOf = (name: Method, options = {}) => METHODS[name].cost(options, target);
  const forward = (passes: number) => ({ forward: passes, backward: 0, head: 0 });

  it('knows its price, with its own defaults', () => {
    expect(costOf('score-cam')).toEqual(forward(65));
    expect(costOf('score-cam', { weighting: 'increase' })).toEqual(forward(66));
    expect(costOf('score-cam', { channels: [0, 5] })).toEqual(forward(3));
    expect(costOf('faster-score-cam')).toEqual(forward(11));
    expect(costOf('faster-score-cam', { top: 100 })).toEqual(forward(65));
    expect(costOf('ss-cam')).toEqual(forward(1 + 35 * 64));
    expect(costOf('ss-cam', { samples: 4, top: 10 })).toEqual(forward(41));
    expect(costOf('is-cam', { channels: [1] })).toEqual(forward(11));
    expect(costOf('group-cam')).toEqual({ forward: 2 + 3 * 32, backward: 3, head: 0 });
    expect(costOf('group-cam', { groups: 100 }).forward).toBe(2 + 3 * 64);
    expect(costOf('cluster-cam')).toEqual(forward(17));
    expect(costOf('cluster-cam', { groups: 100 })).toEqual(forward(65));
    expect(costOf('opti-cam', { steps: 7 })).toEqual({ forward: 22, backward: 21, head: 0 });
    expect(costOf('full-grad')).toEqual({ forward: 1, backward: 3, head: 0 });
    expect(costOf('eigen-cam')).toEqual(forward(1));
    expect(costOf('rise')).toEqual(forward(1001));
    expect(costOf('ablation-cam')).toEqual({ forward: 1, backward: 0, head: 64 });
    expect(costOf('recipro-cam')).toEqual({ forward: 1, backward: 0, head: 196 });
    expect(costOf('layer-cam')).toEqual({ forward: 1, backward: 3, head: 0 });
    expect(costOf('cam')).toEqual(forward(1));
  });

  it('runs backwards if and only if it needs gradients', () => {
    for (const name of METHOD_NAMES) {
      expect([name, costOf(name).backward > 0]).toEqual([name, METHODS[name].needsGradients]);
    }
  });

  it('is offered where it is defined', () => {
    const all = [...METHOD_NAMES];
    const { network } = smallModel();
    expect(admittedMethods(network, 'conv3')).toEqual(all.filter((name) => name !== 'cam'));
    const pooled = smallModel({ layers: smallLayers.poolingHead, targetLayer: 'conv2' });
    expect(admittedMethods(pooled.network, 'conv2')).toEqual(all);
  });
});
