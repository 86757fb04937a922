import { readFileSync } from 'node:fs';
import Ajv from 'ajv';
import { describe, expect, inject, it } from 'vitest';
import schema from '../docs/manifest.schema.json';
import { memorySource } from '../src/model/bytes/byte-source';
import { openSafetensors as openFile } from '../src/model/formats/safetensors';
import { parseManifest } from '../src/model/manifest';
import { buildNetwork, layerFlops, targetIndex } from '../src/model/network';
import { seededVgg } from '../src/model/seeded-vgg';
import { vggManifest } from '../src/model/vgg';
import type { VggGolden } from './harness/shared';

const small = vggManifest({
  depth: 11,
  name: 'small',
  description: 'a narrow VGG-11',
  licence: 'MIT',
  labels: ['a', 'b'],
  weights: { format: 'safetensors', file: 'model.safetensors' },
  widths: [2, 2, 2, 2, 2],
  hidden: 4,
  inputSize: 32,
});

/** A deep copy of `small` with the member at `path` replaced (or removed, with undefined). */
function changed(path: string, value: unknown): unknown {
  const copy = JSON.parse(JSON.stringify(small));
  const keys = path.split('.');
  const last = keys.pop() as string;
  const holder = keys.reduce((node, key) => node[key], copy);
  if (value === undefined) delete holder[last];
  else holder[last] = value;
  return copy;
}

describe('manifest', () => {
  const validate = new Ajv({ strict: false }).compile(schema);

  it('comes back from JSON as it was', () => {
    const json = JSON.parse(JSON.stringify(small));
    expect(JSON.parse(JSON.stringify(parseManifest(json)))).toEqual(json);
    expect(validate(json)).toBe(true);
  });

  it('the embedded model follows parser and schema', () => {
    const text = readFileSync(
      new URL('../weights/scenes-vgg16/manifest.json', import.meta.url),
      'utf8',
    );
    expect(validate(JSON.parse(text))).toBe(true);
    const network = buildNetwork(parseManifest(JSON.parse(text)));
    const types = network.layers.map((layer) => layer.type);
    expect(types.filter((type) => type === 'conv')).toHaveLength(13);
    expect(types.filter((type) => type === 'maxpool')).toHaveLength(5);
    expect(types.filter((type) => type === 'linear')).toHaveLength(3);
    expect(network.labels.length).toBeGreaterThanOrEqual(12);
    const target = network.layers[targetIndex(network, network.targetLayer)];
    expect(target?.output).toEqual({ channels: 64, height: 14, width: 14 });
  });

  it.each([
    ['format', 'other', '"format" is "other"'],
    ['version', 3, '"version" is 3, must be 1'],
    ['name', '', '"name" is "", must be a non-empty string'],
    ['input', [], '"input" is [], must be an object'],
    ['input.width', 0, '"input.width" is 0, must be an integer from 1 to 4096'],
    ['input.std', [1, 1, 0], '"input.std" is [1,1,0], must be three positive numbers'],
    ['input.mean', [1, 1], 'must be three numbers'],
    ['input.resize', 'fit', 'must be cover or stretch'],
    ['layers', [], 'must be a non-empty list'],
    ['layers.0.type', 'lstm', '"layers[0].type" is "lstm", must be conv or maxpool'],
    ['layers.0.kernel', 5, '"layers[0].kernel" is 5, must be 1 or 3'],
    ['layers.0.outChannels', 1.5, '"layers[0].outChannels" is 1.5'],
    ['layers.0.activation', 'gelu', '"layers[0].activation" is "gelu"'],
    ['layers.0.weight', undefined, '"layers[0].weight" is missing'],
    ['targetLayer', 3, '"targetLayer" is 3'],
    ['labels.1', '', '"labels[1]" is ""'],
    [
      'weights.format',
      'pickle',
      'must be safetensors or pytorch or tensorflowjs or onnx or seeded',
    ],
    ['weights.file', undefined, '"weights.file" is missing'],
    ['weights.sha256', 'abc', '64 lower-case hexadecimal digits'],
    ['weights', { format: 'seeded', seed: -1 }, '"weights.seed" is -1'],
  ])('%s = %j is refused by parser and schema', (path, value, message) => {
    const bad = changed(path, value);
    expect(() => parseManifest(bad)).toThrow(message);
    expect(validate(bad)).toBe(false);
  });
});

describe('network', () => {
  it('VGG-16 has the published sizes', () => {
    const { network } = seededVgg(16, 1);
    const parameters = network.layers.reduce((sum, layer) => {
      if (layer.type !== 'conv' && layer.type !== 'linear') return sum;
      const inputs =
        layer.type === 'conv' ? layer.input.channels * layer.kernel ** 2 : layer.input.channels;
      return sum + layer.output.channels * (inputs + 1);
    }, 0);
    expect(parameters).toBe(138_357_544);
    const flop = network.layers.reduce((sum, layer) => sum + layerFlops(layer), 0);
    expect(flop / 2e9).toBeCloseTo(15.47, 2);
    expect(network.layers.at(-1)?.input.channels).toBe(4096);
    expect(network.layers[targetIndex(network, 'conv5_3')]?.output).toEqual({
      channels: 512,
      height: 14,
      width: 14,
    });
  });

  it.each([
    [11, 8],
    [13, 10],
    [16, 13],
    [19, 16],
  ] as const)('VGG-%i has %i convolutions', (depth, convolutions) => {
    const { network } = seededVgg(depth, 1);
    expect(network.layers.filter((layer) => layer.type === 'conv')).toHaveLength(convolutions);
  });

  it.each([
    ['labels', ['a', 'b', 'c'], 'has 2 outputs, but there are 3 labels'],
    ['layers.1.name', 'conv1_1', 'two layers are called "conv1_1"'],
    ['input.width', 16, 'pools'],
    ['layers.0', { type: 'maxpool', name: 'p' }, 'first layer must be a convolution'],
    ['targetLayer', 'fc1', 'No activation maps in layer "fc1"'],
    ['targetLayer', 'conv9', 'There is no layer "conv9"'],
    ['layers.14', { type: 'maxpool', name: 'p' }, 'after the features were flattened'],
  ])('%s = %j is refused', (path, value, message) => {
    expect(() => buildNetwork(parseManifest(changed(path, value)))).toThrow(message);
  });
});

const openSafetensors = (file: ArrayBuffer, name: string) =>
  openFile(memorySource(name, new Uint8Array(file)));

/** A safetensors file from raw parts. */
function safetensors(header: unknown, data: ArrayBuffer): ArrayBuffer {
  const json = new TextEncoder().encode(JSON.stringify(header));
  const file = new Uint8Array(8 + json.length + data.byteLength);
  new DataView(file.buffer).setBigUint64(0, BigInt(json.length), true);
  file.set(json, 8);
  file.set(new Uint8Array(data), 8 + json.length);
  return file.buffer;
}

describe('safetensors', () => {
  it('reads f32, f16 and bf16 in parts', async () => {
    const f32 = Float32Array.of(1.5, -2, 3e-39);
    // 1, -0.5, 65504 (largest), 2^-24 (smallest), infinity
    const f16 = Uint16Array.of(0x3c00, 0xb800, 0x7bff, 0x0001, 0x7c00);
    const bf16 = Uint16Array.of(0x3f80, 0xc040);
    const data = new Uint8Array(12 + 10 + 4);
    data.set(new Uint8Array(f32.buffer), 0);
    data.set(new Uint8Array(f16.buffer), 12);
    data.set(new Uint8Array(bf16.buffer), 22);
    const source = await openSafetensors(
      safetensors(
        {
          __metadata__: { made: 'here' },
          a: { dtype: 'F32', shape: [3], data_offsets: [0, 12] },
          b: { dtype: 'F16', shape: [5, 1], data_offsets: [12, 22] },
          c: { dtype: 'BF16', shape: [2], data_offsets: [22, 26] },
        },
        data.buffer,
      ),
      'file',
    );
    expect(await source.read('a', 1, 2)).toEqual(f32.subarray(1));
    expect([...(await source.read('b', 0, 5))]).toEqual([1, -0.5, 65504, 2 ** -24, Infinity]);
    expect([...(await source.read('c', 0, 2))]).toEqual([1, -3]);
    expect(source.tensors.get('b')?.shape).toEqual([5, 1]);
    await expect(source.read('d', 0, 1)).rejects.toThrow(
      'file: there is no tensor "d"; it holds a, b, c',
    );
  });

  const entry = { dtype: 'F32', shape: [2], data_offsets: [0, 8] };
  it.each([
    ['too short', new ArrayBuffer(3), '3 bytes are too few'],
    ['no header', new Uint8Array(16).fill(255).buffer, 'header claims'],
    ['no JSON', safetensors('x', new ArrayBuffer(0)), 'not JSON'],
    ['cut off', safetensors({ a: entry }, new ArrayBuffer(4)), 'tensor "a" (F32 2) needs 8 bytes'],
    [
      'wrong length',
      safetensors({ a: { ...entry, shape: [3] } }, new ArrayBuffer(8)),
      'needs 12 bytes, the header gives 0..8',
    ],
    [
      'malformed entry',
      safetensors({ a: { ...entry, shape: [-1] } }, new ArrayBuffer(8)),
      'malformed header entry',
    ],
  ])('a file that is %s is refused', async (_name, file, message) => {
    await expect(openSafetensors(file, 'file')).rejects.toThrow(message);
  });

  it('refuses other number formats by name', async () => {
    const header = { a: { dtype: 'F8_E4M3', shape: [8], data_offsets: [0, 8] } };
    const source = await openSafetensors(safetensors(header, new ArrayBuffer(8)), 'file');
    await expect(source.read('a', 0, 8)).rejects.toThrow(
      '"a" is F8_E4M3; supported are F32, F16, BF16',
    );
  });
});

describe('seeded weights', () => {
  const shared = inject('sharedFolder');

  it.skipIf(!shared)('are the golden ones, tensor by tensor', async () => {
    const golden: VggGolden = JSON.parse(
      readFileSync(`${shared}/golden/vgg16-seed1/golden.json`, 'utf8'),
    );
    const { weights } = seededVgg(16, 1);
    for (const tensor of golden.tensors) {
      const count = tensor.shape.reduce((a, b) => a * b, 1);
      expect(weights.tensors.get(tensor.name)?.shape).toEqual(tensor.shape);
      const values = await weights.read(tensor.name, 0, count);
      expect([...values.subarray(0, 3)], tensor.name).toEqual(tensor.first);
      expect(values.at(-1), tensor.name).toBe(tensor.last);
      const sum = values.reduce((total, value) => total + value, 0);
      const sumabs = values.reduce((total, value) => total + Math.abs(value), 0);
      // Sums in f64 of up to 10^8 values: equal up to the order of the additions.
      expect(Math.abs(sum - tensor.sum_f64) / tensor.sumabs_f64, tensor.name).toBeLessThan(1e-12);
      expect(sumabs / tensor.sumabs_f64, tensor.name).toBeCloseTo(1, 11);
    }
  });

  it('do not depend on how they are read', async () => {
    const { weights } = seededVgg(16, 7);
    const whole = await weights.read('classifier.0.weight', 0, 1000);
    const part = await weights.read('classifier.0.weight', 400, 100);
    expect(part).toEqual(whole.subarray(400, 500));
    expect(whole).not.toEqual(await seededVgg(16, 8).weights.read('classifier.0.weight', 0, 1000));
  });
});
