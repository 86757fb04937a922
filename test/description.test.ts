import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parseDescription } from '../cli/description';
import { described } from '../src/model/description';
import { loadModel } from '../src/model/model';
import { smallGraph } from './harness/small-graph';

const folder = mkdtempSync(join(tmpdir(), 'score-cam-labels-'));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

describe('what a command line says of a network', () => {
  it('becomes options', () => {
    const labels = file('labels.txt', 'a cat\r\na dog\r\n');
    expect(
      parseDescription({
        labels,
        mean: '.5,.4,.3',
        std: '1, 2, 3',
        size: '192x256',
        resize: 'stretch',
      }),
    ).toEqual({
      labels: ['a cat', 'a dog'],
      mean: [0.5, 0.4, 0.3],
      std: [1, 2, 3],
      size: [192, 256],
      resize: 'stretch',
    });
    expect(parseDescription({ labels: file('labels.json', '["x","y"]'), size: '64' })).toEqual({
      labels: ['x', 'y'],
      size: [64, 64],
    });
    expect(parseDescription({})).toEqual({});
  });

  it.each([
    [{ mean: '1,2' }, '--mean "1,2": give three numbers'],
    [{ mean: '1,,2' }, '--mean "1,,2": give three numbers'],
    [{ std: '1,0,1' }, '--std "1,0,1": give three positive numbers'],
    [{ size: '0' }, '--size "0": give a whole number from 1 to 4096'],
    [{ size: '1x2x3' }, '--size "1x2x3"'],
    [{ resize: 'fit' }, '--resize "fit": choose from cover, stretch'],
    [{ labels: '/none' }, 'The labels cannot be read'],
  ])('%j is refused', (words, message) => {
    expect(() => parseDescription(words)).toThrow(message);
  });
});

describe('what is said of a model', () => {
  it('counts more than its manifest, and is checked as one', async () => {
    const { manifest } = smallGraph('fire');
    const labels = ['a', 'b', 'c', 'd', 'e', 'f'];
    const own = await described(manifest, { labels, mean: [0, 0, 0], size: 40 });
    expect(own.labels).toEqual(labels);
    expect(own.input).toEqual({ ...manifest.input, mean: [0, 0, 0], width: 40, height: 40 });
    await expect(described(manifest, { std: [0, 1, 1] })).rejects.toThrow('"input.std" is [0,1,1]');
    await expect(loadModel('vgg11-seeded-1', { labels })).rejects.toThrow('there are 6 labels');
  });

  it('a model may be a file', async () => {
    const { manifest } = smallGraph('fire');
    const json = JSON.stringify({ ...manifest, weights: { format: 'seeded', seed: 3 } });
    const { network, weights } = await loadModel(new File([json], 'manifest.json'));
    expect(network.layers).toHaveLength(8);
    expect(weights.tensors.has('stem.weight')).toBe(true);
    await expect(loadModel(new Blob(['hello, I am a text']))).rejects.toThrow(
      'blob is not JSON, and no ONNX file',
    );
  });
});
