import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ScoreCamError } from '../src/errors';
import { type ByteSource, memorySource } from '../src/model/bytes/byte-source';
import { openWeights } from '../src/model/formats/open';
import { type ConvLayer, sizeOf } from '../src/model/network';
import type { WeightSource } from '../src/model/weight-source';
import { testValues } from './harness/compare';
import { narrowNetwork, narrowWeights } from './harness/narrow-vgg';
import { fixture, readAll, readWhole } from './harness/weight-fixtures';
import {
  concatenate,
  encode,
  type Files,
  folder,
  jsonBytes,
  writeSafetensors,
  writeShardedSafetensors,
  writeTfjs,
} from './harness/weight-writers';
import { writeZip } from './harness/zip-writer';

type Bytes = Uint8Array<ArrayBuffer>;

const lone = async (path: string): Promise<ByteSource> => {
  throw new Error(`a single file asked for ${path}`);
};

const open = (bytes: Bytes, name = 'file.bin'): Promise<WeightSource> =>
  openWeights(memorySource(name, bytes), lone);

const openFolder = (files: Files, main: string): Promise<WeightSource> => {
  const { file, sibling } = folder(files, main);
  return openWeights(file, sibling);
};

const ascii = (text: string): Bytes => Uint8Array.from(text, (c) => c.charCodeAt(0));

/** Runs it and returns its error, which must be of ours; undefined if there was none. */
async function refusal(run: () => Promise<unknown>, name: string): Promise<string | undefined> {
  try {
    await run();
    return undefined;
  } catch (error) {
    expect(error).toBeInstanceOf(ScoreCamError);
    const { code, message } = error as ScoreCamError;
    expect(code).toBe('weights');
    expect(message).toContain(name);
    return message;
  }
}

const expected = await readAll(narrowWeights);

describe('PyTorch files', () => {
  it.each([
    ['zip.pth', 'what torch.save writes'],
    ['protocol4.pth', 'pickle protocol 4'],
    ['legacy.pth', 'the format before 1.6'],
    ['torchvision2017.pth', 'as torchvision distributes its VGGs'],
    ['shared.pth', 'all tensors in one storage'],
    ['checkpoint.pth', 'a checkpoint of a DataParallel model with its optimiser'],
  ])('%s (%s) has the tensors that PyTorch saved, bit for bit', async (file) => {
    const source = await open(fixture(file));
    expect([...source.tensors.keys()].sort()).toEqual([...expected.keys()].sort());
    for (const [name, values] of await readAll(source)) {
      expect(values, name).toEqual(expected.get(name));
      expect(source.tensors.get(name)?.shape, name).toEqual(narrowWeights.tensors.get(name)?.shape);
    }
  });

  it.each([
    ['half.pth', 'F16'],
    ['bfloat16.pth', 'BF16'],
  ] as const)('%s has them rounded to %s', async (file, dtype) => {
    const source = await open(fixture(file));
    for (const [name, values] of await readAll(source)) {
      const exact = expected.get(name) as Float32Array<ArrayBuffer>;
      expect(source.tensors.get(name)?.dtype).toBe(dtype);
      // Half of a unit in the last place, and of the smallest subnormal.
      const relative = dtype === 'F16' ? 2 ** -11 : 2 ** -8;
      const worst = values.findIndex((value, i) => {
        const e = exact[i] as number;
        return !(Math.abs(value - e) <= Math.abs(e) * relative + 2 ** -25);
      });
      expect(worst, name).toBe(-1);
      expect(encode(values, dtype), name).toEqual(encode(exact, dtype));
    }
  });

  it('batch normalisation: the tensors fold to what NumPy folded them to', async () => {
    const source = await open(fixture('batch_norm.pth'));
    const folded = new Float32Array(fixture('batch_norm_folded.f32').buffer);
    const read = (name: string) => readWhole(source, name);
    expect(source.tensors.get('features.1.num_batches_tracked')).toMatchObject({
      shape: [],
      dtype: 'I64',
    });
    expect([...(await read('features.1.num_batches_tracked'))]).toEqual([17]);
    let at = 0;
    for (const module of [0, 4, 8, 11, 15, 18, 22, 25]) {
      const weight = await read(`features.${module}.weight`);
      const bias = await read(`features.${module}.bias`);
      const norm = `features.${module + 1}`;
      const [gamma, beta, mean, variance] = [
        await read(`${norm}.weight`),
        await read(`${norm}.bias`),
        await read(`${norm}.running_mean`),
        await read(`${norm}.running_var`),
      ];
      for (let o = 0; o < bias.length; o++) {
        const f = (gamma[o] as number) / Math.sqrt((variance[o] as number) + 1e-5);
        const depth = weight.length / bias.length;
        for (let k = o * depth; k < (o + 1) * depth; k++) weight[k] = (weight[k] as number) * f;
        bias[o] = ((bias[o] as number) - (mean[o] as number)) * f + (beta[o] as number);
      }
      expect(weight).toEqual(folded.slice(at, at + weight.length));
      at += weight.length;
      expect(bias).toEqual(folded.slice(at, at + bias.length));
      at += bias.length;
    }
  });

  it('are read in parts', async () => {
    for (const file of ['zip.pth', 'legacy.pth', 'shared.pth']) {
      const source = await open(fixture(file));
      const name = 'classifier.0.weight';
      const whole = expected.get(name) as Float32Array;
      expect(await source.read(name, 7, 30), file).toEqual(whole.slice(7, 37));
      await expect(source.read(name, 380, 5)).rejects.toThrow('has 384 elements; 5 from 380 on');
      await expect(source.read('other', 0, 1)).rejects.toThrow('there is no tensor "other"');
    }
  });

  it('a transposed tensor is refused with the remedy', async () => {
    await expect(open(fixture('transposed.pth'))).rejects.toThrow(
      /file\.bin: tensor "a\.weight" \(3x2\) is stored with strides 1, 3.*contiguous/s,
    );
  });

  it.each(['malicious.pth', 'malicious_legacy.pth'])(
    '%s is refused by the name of what it would call, and calls nothing',
    async (file) => {
      await expect(open(fixture(file))).rejects.toThrow(
        /file\.bin: the pickle asks for posix\.system, which is refused.*\(byte \d+ of the file\)/s,
      );
      expect(existsSync('score-cam-webgpu-pickle-was-run')).toBe(false);
    },
  );

  it('a whole module is refused with the remedy', async () => {
    await expect(open(fixture('module.pth'))).rejects.toThrow(
      /__main__\.Net, which is refused.*torch\.save\(model\.state_dict\(\)/s,
    );
  });
});

/** What torch.save would write with this pickle: `data.pkl` in a zip, with 16 bytes of storage "0". */
const withPickle = (pickle: Uint8Array, storage = new Uint8Array(16)): Bytes =>
  writeZip([
    { name: 'archive/data.pkl', bytes: pickle },
    { name: 'archive/data/0', bytes: storage },
  ]);

/** Pickle opcodes: strings as their characters, numbers as bytes. */
const ops = (...parts: readonly (string | number | Uint8Array)[]): Bytes =>
  concatenate(
    parts.map((part) =>
      typeof part === 'string'
        ? ascii(part)
        : typeof part === 'number'
          ? Uint8Array.of(part)
          : part,
    ),
  );

const word = (value: number): Uint8Array => new Uint8Array(Uint32Array.of(value).buffer);
const text = (value: string): Uint8Array => ops('X', word(value.length), value);

/** A tensor [2, 2] over storage "0" with the members given changed. */
const tensorOps = ({ key = '0', elements = 4, offset = 0, type = 'torch\nFloatStorage' } = {}) =>
  ops(
    'ctorch._utils\n_rebuild_tensor_v2\n((',
    ...[text('storage'), `c${type}\n`, text(key), text('cpu'), 'J', word(elements), 'tQJ'],
    ...[word(offset), 'K', 2, 'K', 2, 0x86, 'K', 2, 'K', 1, 0x86, 0x89, 'NtR'],
  );
const stateOps = (tensor: Uint8Array): Bytes => ops(0x80, 2, '}', text('a'), tensor, 's.');

describe('pickles', () => {
  it('build a tensor, and what else a checkpoint has', async () => {
    const pickle = ops(
      ...[0x80, 2, '}(', text('a'), tensorOps(), text('lr'), 'G', new Uint8Array(8)],
      ...[text('steps'), '](K', 1, 'N', 0x88, 'e', text('big'), 0x8a, 1, 0xff, 'u.'],
    );
    const storage = new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer);
    const source = await open(withPickle(pickle, storage));
    expect([...source.tensors.keys()]).toEqual(['a']);
    expect([...(await source.read('a', 1, 3))]).toEqual([2, 3, 4]);
  });

  it("Python 2's OrderedDict of pairs and byte strings", async () => {
    const pickle = ops(
      ...[0x80, 2, 'ccollections\nOrderedDict\n', ']]', 'U', 1, 'a', 'a', tensorOps(), 'aa', 0x85],
      'R.',
    );
    expect([...(await open(withPickle(pickle))).tensors.keys()]).toEqual(['a']);
  });

  const list = ops(0x80, 2, ']q', 0);
  it.each<readonly [string, Uint8Array, string]>([
    ['os.system by name', ops(0x80, 2, 'cos\nsystem\n', text('ls'), 0x85, 'R.'), 'os.system'],
    ['eval by the stack', ops(0x80, 4, text('builtins'), text('eval'), 0x93, '.'), 'builtins.eval'],
    [
      'a storage as function',
      ops(0x80, 2, 'ctorch\nFloatStorage\n)R.'),
      'calls torch.FloatStorage',
    ],
    ['a call of a string', ops(0x80, 2, text('a'), ')R.'), 'no function'],
    ['__proto__ as a global', ops(0x80, 2, 'c__proto__\nconstructor\n.'), '__proto__.constructor'],
    ['a copyreg extension', ops(0x80, 2, 0x82, 1, '.'), 'opcode 0x82'],
    ['an old-style instance', ops(0x80, 2, '(ios\nsystem\n.'), 'opcode 0x69'],
    ['state for a list', ops(0x80, 2, ']}b.'), 'state of an object'],
    ['state for a storage type', ops(0x80, 2, 'ctorch\nFloatStorage\n}b.'), 'state of an object'],
    [
      'OrderedDict of a number',
      ops(0x80, 2, 'ccollections\nOrderedDict\nK', 1, 0x85, 'R.'),
      'list',
    ],
    ['items of a list', ops(0x80, 2, ']K', 1, 'K', 1, 's.'), 'no dict'],
    ['an odd number of items', ops(0x80, 2, '}(K', 1, 'u.'), 'no dict'],
    ['an item for a dict', ops(0x80, 2, '}K', 1, 'a.'), 'no list'],
    ['nothing on the stack', ops(0x80, 2, '.'), 'not there'],
    ['a value too many', ops(0x80, 2, 'NN.'), 'middle of a value'],
    ['a group never opened', ops(0x80, 2, 't.'), 'never opened'],
    ['items from below a group', ops(0x80, 2, 'N(a.'), 'not there'],
    ['a tuple from below a group', ops(0x80, 2, 'N(', 0x85, 't.'), 'not there'],
    ['an unknown memo', ops(0x80, 2, 'h', 9, '.'), 'value 9'],
    ['protocol 0', ascii('(dp0\n.'), 'opcode 0x70'],
    ['protocol 9', ops(0x80, 9, 'N.'), 'protocol 9'],
    ['a string of 4 GB', ops(0x80, 2, 'X', word(0xffffffff)), 'not complete'],
    ['bytes of 2^60', ops(0x80, 4, 0x8e, new Uint8Array(7), 16), 'not complete'],
    ['an integer of 2 GB', ops(0x80, 2, 0x8b, word(0x7fffffff)), '2147483647 bytes'],
    ['a global without end', ops(0x80, 2, 'ctorch'), 'not complete'],
    ['a string that is no UTF-8', ops(0x80, 2, 'U', 1, 0xff, '.'), 'not UTF-8'],
    ['a list in itself', ops(list, 'h', 0, 'a.'), 'no state dict'],
    ['a list', ops(list, '.'), 'no state dict'],
    ['a dict in itself', ops(0x80, 2, '}q', 0, text('state_dict'), 'h', 0, 's.'), 'no state dict'],
    [
      'a million lists in lists',
      ops(0x80, 2, ascii(']'.repeat(1e6)), 'a'.repeat(999_999), '.'),
      'no state dict',
    ],
    ['a list copied over and over', bomb(), 'over and over'],
    ['a persistent id that is a string', ops(0x80, 2, text('x'), 'Q.'), 'no storage'],
    ['a tensor of another key', stateOps(tensorOps({ key: '7' })), 'storage "7"'],
    ['a tensor outside its storage', stateOps(tensorOps({ offset: 1 })), '4 elements from 1 on'],
    ['a negative offset', stateOps(tensorOps({ offset: -1 })), 'without storage'],
    ['a storage larger than its entry', stateOps(tensorOps({ elements: 5 })), 'needs 20 bytes'],
    ['a storage of negative size', stateOps(tensorOps({ elements: -4 })), 'no storage'],
    ['a storage of a strange type', stateOps(tensorOps({ type: 'torch\nQInt8Storage' })), 'QInt8'],
  ])('%s is refused', async (_what, pickle, message) => {
    const found = await refusal(() => open(withPickle(pickle), 'weights.pth'), 'weights.pth');
    expect(found).toContain(message);
  });

  /** OrderedDict(list) again and again, of one list with many pairs: quadratic, if it were allowed. */
  function bomb(): Bytes {
    const pairs = ops('](', ...Array.from({ length: 3000 }, () => ops('](NNe')), 'eq', 0, '0');
    const copy = ops('ccollections\nOrderedDict\n', 'h', 0, 0x85, 'R0');
    return ops(0x80, 2, pairs, ...Array.from({ length: 3000 }, () => copy), 'N.');
  }

  it('an unsupported element type is refused when it is asked for, not before', async () => {
    const int = stateOps(tensorOps({ type: 'torch\nIntStorage' }));
    const source = await open(withPickle(int));
    await expect(source.read('a', 0, 1)).rejects.toThrow('"a" is I32; supported are F32, F16');
  });
});

describe('zip archives', () => {
  const pickle = stateOps(tensorOps());
  const storage = new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer);
  const files = [
    { name: 'archive/data.pkl', bytes: pickle },
    { name: 'archive/byteorder', bytes: ascii('little') },
    { name: 'archive/data/0', bytes: storage },
  ];

  it.each([
    ['zip64 records and sizes', writeZip(files, { isZip64: true })],
    ['a long comment', writeZip(files, { comment: 'x'.repeat(60000) })],
    ['a comment like an end record', writeZip(files, { comment: 'PK\x05\x06'.repeat(9) })],
    ['no folder', writeZip(files.map((f) => ({ ...f, name: f.name.replace('archive/', '') })))],
  ])('with %s are read', async (_what, bytes) => {
    expect([...(await readWhole(await open(bytes), 'a'))]).toEqual([1, 2, 3, 4]);
  });

  const changed = (index: number, change: object): Bytes =>
    writeZip(files.map((file, i) => (i === index ? { ...file, ...change } : file)));
  it.each<readonly [string, Bytes, string]>([
    ['a deflated storage', changed(2, { method: 8 }), 'is compressed (method 8)'],
    ['a deflated pickle', changed(0, { method: 8 }), 'is compressed (method 8)'],
    ['an encrypted storage', changed(2, { flags: 1 }), 'is encrypted'],
    ['big-endian numbers', changed(1, { bytes: ascii('big') }), 'big-endian'],
    ['no pickle', changed(0, { name: 'archive/config.json' }), 'not what torch.save writes'],
    ['two pickles', changed(1, { name: 'b/data.pkl' }), '2 entries "data.pkl"'],
    ['no storage', changed(2, { name: 'archive/data/1' }), 'which the archive lacks'],
    ['one name twice', changed(1, { name: 'archive/data/0' }), 'two zip entries'],
  ])('with %s are refused', async (_what, bytes, message) => {
    expect(await refusal(() => open(bytes, 'weights.pth'), 'weights.pth')).toContain(message);
  });

  it.each([false, true])('lies of their directories are refused (zip64: %s)', async (isZip64) => {
    const whole = writeZip(files, { isZip64 });
    const end = whole.length - 22;
    const directory = ascii('PK\x01\x02');
    const first = whole.findIndex((_, i) => directory.every((byte, j) => whole[i + j] === byte));
    // Sizes, offsets and counts of the end record(s) and of the first entry, each made large.
    const targets = isZip64
      ? [end - 20 + 8, end - 76 + 32, end - 76 + 40, end - 76 + 48]
      : [end + 10, end + 12, end + 16, first + 20, first + 24, first + 28, first + 42];
    for (const target of targets) {
      const lying = whole.slice();
      lying[target] = 0xf0 ^ (lying[target] as number);
      lying[target + 1] = 0x7f;
      const run = async () => readAll(await open(lying, 'weights.pth'));
      expect(await refusal(run, 'weights.pth'), `byte ${target}`).toBeDefined();
    }
  });
});

describe('the format before PyTorch 1.6', () => {
  const whole = fixture('legacy.pth');
  const find = (what: string): number => {
    const bytes = ascii(what);
    return whole.findIndex((_, i) => bytes.every((byte, j) => whole[i + j] === byte));
  };
  const findLast = (what: string): number => {
    const bytes = ascii(what);
    return whole.findLastIndex((_, i) => bytes.every((byte, j) => whole[i + j] === byte));
  };
  const with_ = (at: number, ...bytes: number[]): Bytes => {
    const copy = whole.slice();
    copy.set(bytes, at);
    return copy;
  };

  it.each<readonly [string, () => Bytes, string]>([
    ['another magic number', () => with_(5, 1), 'not one that torch.save wrote'],
    ['another protocol', () => with_(find('\x80\x02M\xe9') + 3, 0xea), 'its protocol is not 1001'],
    ['big-endian numbers', () => with_(find('little_endian') + 15, 0x89), 'little-endian'],
    ['a list of storages with another key', () => with_(findLast('94000000') + 2, 0x37), '"947'],
  ])('%s is refused', async (_what, bytes, message) => {
    const found = await refusal(async () => readAll(await open(bytes(), 'old.pth')), 'old.pth');
    expect(found).toContain(message);
  });

  it('a count that contradicts the pickle is refused by tensor storage and byte', async () => {
    const source = await open(fixture('legacy.pth'));
    const [first] = source.tensors.keys();
    const { begin } = source.tensors.get(first as string) as unknown as { begin: number };
    const bad = await open(with_(begin, 0xff), 'old.pth');
    expect(await refusal(() => readAll(bad), 'old.pth')).toMatch(
      /elements by the count at byte \d+/,
    );
  });

  it('pickles longer than the first read are read on', async () => {
    // A comment of 200 kB in the machine's facts: the pickles end far behind the first 64 kB.
    const at = find('}q\x00(X\x10');
    const extra = ops(text('comment'), text('x'.repeat(200_000)));
    const long = concatenate([whole.slice(0, at + 4), extra, whole.slice(at + 4)]);
    for (const [name, values] of await readAll(await open(long))) {
      expect(values, name).toEqual(expected.get(name));
    }
  });
});

describe('safetensors', () => {
  it.each(['F32', 'F16', 'BF16'] as const)(
    '%s: one file and three have the same',
    async (dtype) => {
      const one = await open(await writeSafetensors(narrowWeights, { dtype }));
      const files = await writeShardedSafetensors(narrowWeights, 3, { dtype });
      const { file, sibling, asked } = folder(files, 'model.safetensors.index.json');
      const three = await openWeights(file, sibling);
      expect(asked).toHaveLength(3);
      expect(new Set(asked).size).toBe(3);
      for (const [name, exact] of expected) {
        const values = await readWhole(one, name);
        expect(await readWhole(three, name), name).toEqual(values);
        expect(encode(values, dtype), name).toEqual(
          encode(exact as Float32Array<ArrayBuffer>, dtype),
        );
        if (dtype === 'F32') expect(values, name).toEqual(exact);
      }
      expect([...three.tensors.keys()]).toEqual([...expected.keys()]);
    },
  );

  it('I8 rows with their scales are within half a step', async () => {
    const source = await open(await writeSafetensors(narrowWeights, { dtype: 'I8' }));
    const stored = await readWhole(source, 'classifier.3.weight');
    const scales = await readWhole(source, 'classifier.3.weight.scale');
    expect(source.tensors.get('classifier.3.weight')?.dtype).toBe('I8');
    const columns = stored.length / scales.length;
    const exact = expected.get('classifier.3.weight') as Float32Array;
    const worst = stored.findIndex((value, i) => {
      const scale = scales[Math.floor(i / columns)] as number;
      return !(Math.abs(value * scale - (exact[i] as number)) <= 0.501 * scale);
    });
    expect(worst).toBe(-1);
  });

  it('reading past a tensor is refused', async () => {
    const source = await open(await writeSafetensors(narrowWeights));
    await expect(source.read('features.0.bias', 2, 3)).rejects.toThrow('has 4 elements; 3 from 2');
  });

  it.each<readonly [string, (map: Record<string, unknown>) => unknown, string]>([
    ['no map', () => [], '"weight_map" must be an object'],
    ['an empty map', () => ({}), '"weight_map" must be an object'],
    ['a path to elsewhere', (map) => ({ ...map, a: '../other.safetensors' }), 'one of its parts'],
    ['an address', (map) => ({ ...map, a: 'https://example.org/a' }), 'one of its parts'],
    ['an absolute path', (map) => ({ ...map, a: '/etc/passwd' }), 'one of its parts'],
    ['a number for a path', (map) => ({ ...map, a: 3 }), 'one of its parts'],
    [
      'a tensor that its file lacks',
      (map) => ({ a: Object.values(map)[0] }),
      'tensor "a" should be',
    ],
  ])('an index with %s is refused', async (_what, change, message) => {
    const files = new Map(await writeShardedSafetensors(narrowWeights, 2));
    const name = 'model.safetensors.index.json';
    const index = JSON.parse(new TextDecoder().decode(files.get(name)));
    files.set(name, jsonBytes({ weight_map: change(index.weight_map) }));
    expect(await refusal(() => openFolder(files, name), name)).toContain(message);
  });
});

/** The fixture network's weights in PyTorch's layout and names, from a TensorFlow.js source. */
async function fromKeras(source: WeightSource, isBgr = false): Promise<Map<string, Float32Array>> {
  const values = new Map<string, Float32Array>();
  for (const [position, layer] of narrowNetwork.layers.entries()) {
    if (layer.type !== 'conv' && layer.type !== 'linear') continue;
    const stem = layer.name
      .replace('conv', 'block')
      .replace('_', '_conv')
      .replace('fc3', 'predictions');
    const stored = await readWhole(source, `${stem}/kernel`);
    const turned = new Float32Array(stored.length);
    const outputs = layer.output.channels;
    const before = narrowNetwork.layers[position - 1]?.output ?? narrowNetwork.input;
    const { kernel } = layer as ConvLayer;
    const [height, width] =
      layer.type === 'conv' ? [kernel, kernel] : [before.height, before.width];
    const taps = height * width;
    stored.forEach((value, i) => {
      const o = i % outputs;
      const c = Math.floor(i / outputs) % before.channels;
      const tap = Math.floor(i / outputs / before.channels);
      const input = isBgr && position === 0 ? 2 - c : c;
      turned[(o * before.channels + input) * taps + tap] = value;
    });
    const shape = source.tensors.get(`${stem}/kernel`)?.shape;
    const dense = [sizeOf(layer.input), outputs];
    expect(shape).toEqual(layer.type === 'conv' ? [3, 3, before.channels, outputs] : dense);
    values.set(layer.weight, turned);
    values.set(layer.bias, await readWhole(source, `${stem}/bias`));
  }
  return values;
}

describe('TensorFlow.js models', () => {
  it.each([
    ['one shard', 1e9, false],
    ['shards of 1000 bytes, which cut tensors anywhere', 1000, false],
    ['shards of 10 bytes, which cut numbers', 10, true],
  ])('%s: the same numbers, bit for bit', async (_what, shardBytes, isBgr) => {
    const files = await writeTfjs(narrowWeights, narrowNetwork, { shardBytes, isBgr });
    const { file, sibling, asked } = folder(files, 'model.json');
    const source = await openWeights(file, sibling);
    for (const [name, values] of await fromKeras(source, isBgr)) {
      expect(values, name).toEqual(expected.get(name));
    }
    await source.verify?.();
    expect(asked).toEqual([...files.keys()].filter((path) => path.endsWith('.bin')));
  });

  it('shards are opened when they are needed', async () => {
    const files = await writeTfjs(narrowWeights, narrowNetwork, { shardBytes: 1000 });
    const { file, sibling, asked } = folder(files, 'model.json');
    const source = await openWeights(file, sibling);
    expect(asked).toEqual([]);
    await readWhole(source, 'block1_conv1/kernel');
    expect(asked).toHaveLength(1);
    await Promise.all([readWhole(source, 'fc1/kernel'), readWhole(source, 'block3_conv1/kernel')]);
    expect(new Set(asked).size).toBe(asked.length);
  });

  it.each([
    ['uint8', 'U8', 1 / 255],
    ['uint16', 'U16', 1 / 65535],
  ] as const)('%s is within half a step', async (quantisation, dtype, step) => {
    const files = await writeTfjs(narrowWeights, narrowNetwork, {
      quantisation,
      shardBytes: 999,
    });
    const source = await openFolder(files, 'model.json');
    expect(source.tensors.get('fc1/kernel')?.dtype).toBe(dtype);
    for (const [name, values] of await fromKeras(source)) {
      const exact = expected.get(name) as Float32Array;
      const range = Math.max(...exact) - Math.min(...exact);
      const worst = values.findIndex((value, i) => {
        const e = exact[i] as number;
        // Half a step, and the rounding of the result to f32.
        return !(Math.abs(value - e) <= 0.5001 * step * range + Math.abs(e) * 2 ** -24);
      });
      expect(worst, name).toBe(-1);
    }
  });

  it('uint8 is dequantised in f64 and rounded once, as TensorFlow.js does', async () => {
    const quantization = { dtype: 'uint8', scale: 0.1, min: -12.7, original_dtype: 'float32' };
    const weights = [{ name: 'a', shape: [256], dtype: 'float32', quantization }];
    const files = new Map([
      ['model.json', jsonBytes({ weightsManifest: [{ paths: ['a.bin'], weights }] })],
      ['a.bin', Uint8Array.from({ length: 256 }, (_, i) => i)],
    ]);
    const values = await readWhole(await openFolder(files, 'model.json'), 'a');
    expect([...values]).toEqual(
      Array.from({ length: 256 }, (_, i) => Math.fround(i * 0.1 + -12.7)),
    );
  });

  it('float16 is rounded to half precision', async () => {
    const files = await writeTfjs(narrowWeights, narrowNetwork, { quantisation: 'float16' });
    for (const [name, values] of await fromKeras(await openFolder(files, 'model.json'))) {
      const exact = expected.get(name) as Float32Array<ArrayBuffer>;
      expect(encode(values as Float32Array<ArrayBuffer>, 'F16'), name).toEqual(
        encode(exact, 'F16'),
      );
      if (exact.length > 100) expect(values).not.toEqual(exact);
    }
  });

  it('several groups', async () => {
    const group = (name: string) => ({
      paths: [`${name}.bin`],
      weights: [{ name, shape: [2], dtype: 'float32' }],
    });
    const bytes = (...values: number[]): Bytes => new Uint8Array(Float32Array.from(values).buffer);
    const files = new Map([
      ['model.json', jsonBytes({ weightsManifest: [group('a'), group('b')] })],
      ['a.bin', bytes(1, 2)],
      ['b.bin', bytes(3, 4)],
    ]);
    const source = await openFolder(files, 'model.json');
    expect([...(await readWhole(source, 'b'))]).toEqual([3, 4]);
    expect([...(await readWhole(source, 'a'))]).toEqual([1, 2]);
  });

  it.each([
    ['cut off', (bytes: Bytes) => bytes.slice(0, -1), 'end after'],
    ['too long', (bytes: Bytes) => concatenate([bytes, new Uint8Array(4)]), 'its tensors need'],
  ])('shards that are %s are refused, when read or verified', async (_what, change, message) => {
    const files = new Map(await writeTfjs(narrowWeights, narrowNetwork, { shardBytes: 5000 }));
    const last = [...files.keys()].filter((path) => path.endsWith('.bin')).at(-1) as string;
    files.set(last, change(files.get(last) as Bytes));
    const source = await openFolder(files, 'model.json');
    const read = await refusal(() => readWhole(source, 'predictions/bias'), 'model.json');
    expect(read).toContain(message);
    const verified = await openFolder(files, 'model.json');
    expect(await refusal(async () => verified.verify?.(), 'model.json')).toContain(
      'its tensors need',
    );
  });

  const weight = { name: 'a', shape: [2], dtype: 'float32' };
  const affine = { dtype: 'uint8', scale: 1, min: 0 };
  it.each<readonly [string, unknown, string]>([
    ['no list', {}, '"weightsManifest" must be a list'],
    ['a group without paths', [{ weights: [] }], 'lists "paths" and "weights"'],
    ['a weight without name', [{ paths: [], weights: [{}] }], 'lacks its name'],
    ['a bad shape', [{ paths: [], weights: [{ ...weight, shape: [-1] }] }], 'lacks its name'],
    ['a huge shape', [{ paths: [], weights: [{ ...weight, shape: [2 ** 40, 2 ** 40] }] }], 'lacks'],
    ['strings', [{ paths: [], weights: [{ ...weight, dtype: 'string' }] }], 'is "string"'],
    [
      'an inherited name as dtype',
      [{ paths: [], weights: [{ ...weight, dtype: 'toString' }] }],
      'is "toString"',
    ],
    [
      'an unknown quantisation',
      [{ paths: [], weights: [{ ...weight, quantization: { ...affine, dtype: 'int4' } }] }],
      'is "int4"',
    ],
    [
      'a quantisation without scale',
      [{ paths: [], weights: [{ ...weight, quantization: { dtype: 'uint8', min: 0 } }] }],
      'without a finite "scale"',
    ],
    ['one name twice', [{ paths: [], weights: [weight, weight] }], 'two tensors are called "a"'],
    ['a path elsewhere', [{ paths: ['../a.bin'], weights: [weight] }], 'one of its parts'],
  ])('%s in model.json is refused', async (_what, weightsManifest, message) => {
    const files = new Map([['model.json', jsonBytes({ weightsManifest })]]);
    expect(await refusal(() => openFolder(files, 'model.json'), 'model.json')).toContain(message);
  });

  it('a claim of terabytes is refused without allocating them', async () => {
    const files = new Map([
      [
        'model.json',
        jsonBytes({
          weightsManifest: [{ paths: ['a.bin'], weights: [{ ...weight, shape: [2 ** 42] }] }],
        }),
      ],
      ['a.bin', new Uint8Array(8)],
    ]);
    const source = await openFolder(files, 'model.json');
    expect(await refusal(() => readWhole(source, 'a'), 'model.json')).toContain(
      'end after 8 bytes',
    );
  });

  it('no shards at all are refused when the tensor is read', async () => {
    const files = new Map([
      ['model.json', jsonBytes({ weightsManifest: [{ paths: [], weights: [weight] }] })],
    ]);
    const source = await openFolder(files, 'model.json');
    expect(await refusal(() => readWhole(source, 'a'), 'model.json')).toContain('(none)');
  });
});

describe('other files', () => {
  it.each<readonly [string, Bytes, string]>([
    ['nothing', new Uint8Array(0), 'is empty'],
    ['a page', ascii('\n<!DOCTYPE html><html>'), 'HTML or XML page'],
    ['a git-lfs pointer', ascii('version https://git-lfs.github.com/spec/v1\noid'), 'git lfs pull'],
    ['a Keras file', ascii('\x89HDF\r\n\x1a\n        '), 'tensorflowjs_converter'],
    ['an array', ascii('\x93NUMPY\x01\x00'), 'NumPy'],
    ['gzip', Uint8Array.of(0x1f, 0x8b, 8, 0), 'Unpack it'],
    ['tar', ascii(`${'\0'.repeat(257)}ustar${'\0'.repeat(300)}`), 'tar archive'],
    ['a plain pickle', ops(0x80, 4, 'N.'), 'not one that torch.save wrote'],
    ['a manifest', jsonBytes({ format: 'score-cam-webgpu/model' }), 'it is a model manifest'],
    ['other JSON', jsonBytes({ a: 1 }), 'neither an index'],
    ['broken JSON', ascii('{"weight_map": '), 'is not JSON'],
    [
      'random bytes',
      Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9),
      'starts with 01 02 03 04 05 06 07 08',
    ],
    ['a zip cut off', ascii('PK\x03\x04 and no end'), 'cut off'],
  ])('%s: the error says what it looks like', async (_what, bytes, message) => {
    expect(await refusal(() => open(bytes, 'weights.x'), 'weights.x')).toContain(message);
  });
});

/** A folder's main file seen as over the network: going backwards fails. */
function forwards(file: ByteSource): ByteSource {
  let at = 0;
  return {
    ...file,
    async read(start, length) {
      expect(start).toBeGreaterThanOrEqual(at);
      at = start + length;
      return file.read(start, length);
    },
  };
}

describe('reading', () => {
  it.each(['legacy.pth', 'torchvision2017.pth'])('%s goes only forwards', async (name) => {
    const source = await openWeights(forwards(memorySource(name, fixture(name))), lone);
    expect((await readAll(source)).get('classifier.6.bias')).toEqual(
      expected.get('classifier.6.bias'),
    );
  });

  it('safetensors goes only forwards, also across its first bytes', async () => {
    const bytes = await writeSafetensors(narrowWeights);
    const source = await openWeights(forwards(memorySource('a', bytes)), lone);
    expect(await readAll(source)).toEqual(expected);
    const tiny = { ...narrowWeights, tensors: new Map([...narrowWeights.tensors].slice(0, 2)) };
    const small = forwards(memorySource('b', await writeSafetensors(tiny)));
    expect((await readAll(await openWeights(small, lone))).size).toBe(2);
  });

  it('zip goes only forwards once it is open', async () => {
    const bytes = fixture('zip.pth');
    const reads: number[] = [];
    const file = memorySource('zip', bytes);
    const source = await openWeights(
      {
        ...file,
        read(start, length) {
          reads.push(start);
          return file.read(start, length);
        },
      },
      lone,
    );
    reads.length = 0;
    await readAll(source);
    expect(reads.length).toBeGreaterThan(0);
    expect(reads).toEqual([...reads].sort((a, b) => a - b));
  });
});

const PYTORCH = [
  'zip.pth',
  'protocol4.pth',
  'legacy.pth',
  'torchvision2017.pth',
  'shared.pth',
  'checkpoint.pth',
  'half.pth',
  'batch_norm.pth',
  'transposed.pth',
  'malicious.pth',
  'malicious_legacy.pth',
  'module.pth',
] as const;

async function corruptible(): Promise<readonly (readonly [string, Files, string])[]> {
  const alone = (bytes: Bytes): Files => new Map([['weights', bytes]]);
  return [
    ...PYTORCH.map((name) => [name, alone(fixture(name)), 'weights'] as const),
    [
      'zip64',
      alone(
        writeZip(
          [
            { name: 'a/data.pkl', bytes: stateOps(tensorOps()) },
            { name: 'a/data/0', bytes: new Uint8Array(16) },
          ],
          { isZip64: true },
        ),
      ),
      'weights',
    ],
    ['safetensors', alone(await writeSafetensors(narrowWeights)), 'weights'],
    ['index', await writeShardedSafetensors(narrowWeights, 2), 'model.safetensors.index.json'],
    [
      'TensorFlow.js',
      await writeTfjs(narrowWeights, narrowNetwork, { shardBytes: 7000, quantisation: 'uint8' }),
      'model.json',
    ],
  ];
}

/**
 * Opens and reads everything. Either all tensors have their elements, or there is one of our errors that
 * names a file. A part that an index calls by a corrupted name is not there.
 */
async function readOrRefuse(files: Files, main: string): Promise<'read' | 'refused'> {
  const opened = async (path: string): Promise<ByteSource> => {
    const bytes = files.get(path);
    if (!bytes) throw new ScoreCamError('weights', `${path} could not be fetched`);
    return memorySource(path, bytes);
  };
  const message = await refusal(async () => {
    const source = await openWeights(await opened(main), opened);
    for (const [name, { shape }] of source.tensors) {
      expect((await readWhole(source, name)).length).toBe(shape.reduce((a, b) => a * b, 1));
    }
    await source.verify?.();
  }, '');
  if (message === undefined) return 'read';
  expect(['could not be fetched', ...files.keys()].some((name) => message.includes(name))).toBe(
    true,
  );
  return 'refused';
}

describe('damaged files', () => {
  it('a file cut off anywhere is refused', async () => {
    let cuts = 0;
    for (const [what, files, main] of await corruptible()) {
      for (const [path, bytes] of files) {
        const step = Math.ceil(bytes.length / 40);
        const ends = [...Array.from({ length: 40 }, (_, i) => i), bytes.length - 1];
        for (let end = 40; end < bytes.length; end += step) ends.push(end);
        for (const end of ends.filter((value) => value < bytes.length)) {
          const cut = new Map(files).set(path, bytes.slice(0, end));
          expect(await readOrRefuse(cut, main), `${what}: ${path} cut at ${end}`).toBe('refused');
          cuts++;
        }
      }
    }
    expect(cuts).toBeGreaterThan(1000);
  });

  it('one wrong byte anywhere gives tensors within the file or one of our errors', async () => {
    const outcomes = { read: 0, refused: 0 };
    let seed = 1;
    for (const [what, files, main] of await corruptible()) {
      for (const [path, bytes] of files) {
        const random = testValues(3 * 300, seed++).map((value) => (value + 1) / 2);
        for (let i = 0; i < 300; i++) {
          const [where, span, bits] = random.subarray(3 * i, 3 * i + 3) as unknown as number[];
          // Half of them among the first 600 bytes or the last, where the structure is.
          const near = Math.min(600, bytes.length);
          const offset = Math.floor(
            (where as number) * ((span as number) < 0.5 ? near : bytes.length),
          );
          const at = (span as number) < 0.25 ? bytes.length - 1 - offset : offset;
          const damaged = bytes.slice();
          damaged[at] = (damaged[at] as number) ^ (1 + Math.floor((bits as number) * 255));
          try {
            outcomes[await readOrRefuse(new Map(files).set(path, damaged), main)]++;
          } catch (error) {
            throw new Error(`${what}: ${path} with byte ${at} = ${damaged[at]}`, { cause: error });
          }
        }
      }
    }
    // Both happen: most of a file is numbers, whose corruption nothing but a checksum could tell.
    expect(outcomes.read).toBeGreaterThan(500);
    expect(outcomes.refused).toBeGreaterThan(500);
  });
});
