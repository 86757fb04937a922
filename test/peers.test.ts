/** What is said of the peers' figures; the figures themselves come from `npm run bench -- --peers`. */
import { describe, expect, it } from 'vitest';
import { disagreements, peerLine } from '../bench/peers/compare';
import { relativeDifference } from '../bench/peers/entrant';
import { swap, swapRows } from '../bench/peers/tensorflow';
import type { PeerResult, PeerResults } from '../bench/peers/types';

const adapter = {
  vendor: 'google',
  architecture: 'swiftshader',
  device: '0xc0de',
  description: 'SwiftShader Device',
  isFallback: true,
};

const ours: PeerResult = {
  name: 'score-cam-webgpu',
  version: '0.1.0',
  backend: 'webgpu',
  adapter,
  warmUp: 3000,
  runs: [2100, 1900, 2000],
  relativeDifference: 0,
};

const peer: PeerResult = {
  ...ours,
  name: 'onnxruntime-web',
  version: '1.2.3',
  runs: [81000],
  relativeDifference: 4e-6,
  note: 'runs: 1 instead of 3',
};

const results = (...peers: PeerResult[]): PeerResults => ({
  browser: 'Chrome/140.0.0.0',
  model: 'vgg16-seeded-1',
  batch: 1,
  dtype: 'f32',
  flop: 3.1e10,
  tolerance: 1e-4,
  contenders: [ours, ...peers],
});

describe('peerLine', () => {
  it('gives median, spread, multiple of ours, difference and note', () => {
    expect(peerLine(ours, ours).replace(/ +/g, ' ').trim()).toBe(
      'score-cam-webgpu 0.1.0, WebGPU 2000.0 ms (1900.0 to 2100.0) 1.00 x',
    );
    expect(peerLine(peer, ours).replace(/ +/g, ' ')).toBe(
      'onnxruntime-web 1.2.3, WebGPU 81000.0 ms (81000.0 to 81000.0) 40.50 x 4.0e-6 runs: 1 instead of 3',
    );
  });

  it('names threads', () => {
    const wasm = { ...peer, backend: 'wasm', adapter: null } as const;
    expect(peerLine({ ...wasm, threads: 2 }, ours)).toContain('1.2.3, WASM, 2 threads ');
    expect(peerLine({ ...wasm, threads: 1 }, ours)).toContain('1.2.3, WASM, 1 thread ');
  });

  it('tells of a failure instead of figures', () => {
    const failed = {
      ...peer,
      adapter: null,
      runs: [],
      relativeDifference: null,
      error: 'no memory',
    };
    expect(peerLine(failed, ours)).toMatch(
      /^onnxruntime-web 1\.2\.3, WebGPU +no figures: no memory$/,
    );
  });
});

describe('disagreements', () => {
  it('are none where logits and adapters agree, or where there is nothing to compare', () => {
    const wasm = { ...peer, backend: 'wasm', adapter: null } as const;
    const failed = {
      ...peer,
      adapter: null,
      runs: [],
      relativeDifference: null,
      error: 'no memory',
    };
    expect(disagreements(results(peer, wasm, failed))).toEqual([]);
    expect(disagreements(results({ ...peer, relativeDifference: 1e-4 }))).toEqual([]);
  });

  it('name who computes something else, how far off, and what is allowed', () => {
    const [sentence, ...more] = disagreements(results({ ...peer, relativeDifference: 1.1e-4 }));
    expect(more).toEqual([]);
    for (const part of ['onnxruntime-web 1.2.3', '0.00011', '0.0001']) {
      expect(sentence).toContain(part);
    }
  });

  it('name who ran on another adapter', () => {
    const other = { ...adapter, vendor: 'nvidia' };
    expect(disagreements(results({ ...peer, adapter: other }))[0]).toContain('nvidia');
  });
});

describe('relativeDifference', () => {
  it('is the largest difference as a share of the largest value compared with', () => {
    expect(relativeDifference([1, -4, 2.5], [1, -5, 2])).toBe(0.2);
    expect(relativeDifference([3], [3])).toBe(0);
  });

  it.each([
    ['fewer values', [1], [1, 2]],
    ['a NaN', [1, Number.NaN], [1, 2]],
    ['an infinity', [1, Number.POSITIVE_INFINITY], [1, 2]],
    ['none', [], []],
  ])('is not finite for %s', (_, a, b) => {
    expect(Number.isFinite(relativeDifference(a, b))).toBe(false);
  });
});

describe('the layouts of TensorFlow.js', () => {
  const numbered = (length: number): Float32Array => Float32Array.from({ length }, (_, i) => i);

  it.each([
    [1, 5],
    [31, 33],
    [32, 32],
    [33, 65],
  ])('transposes %s x %s', (rows, columns) => {
    const swapped = swap(numbered(rows * columns), rows, columns);
    for (let column = 0; column < columns; column++) {
      for (let row = 0; row < rows; row++) {
        expect(swapped[column * rows + row]).toBe(row * columns + column);
      }
    }
  });

  it('exchanges rows and columns of vectors', () => {
    expect([...swapRows(numbered(12), 2, 3, 2)]).toEqual([0, 1, 6, 7, 2, 3, 8, 9, 4, 5, 10, 11]);
  });
});
