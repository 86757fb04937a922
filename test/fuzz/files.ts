/** Weights files of every format, damaged and made up. */
import { deepStrictEqual } from 'node:assert/strict';
import fc from 'fast-check';
import { ScoreCamError } from '../../src/errors';
import { weightBlocks } from '../../src/model/blocks';
import { memorySource } from '../../src/model/bytes/byte-source';
import { openWeights } from '../../src/model/formats/open';
import { elementCount, type WeightSource } from '../../src/model/weight-source';
import { narrowNetwork, narrowWeights } from '../harness/narrow-vgg';
import { fixture, readWhole } from '../harness/weight-fixtures';
import {
  concatenate,
  type Files,
  writeSafetensors,
  writeShardedSafetensors,
  writeTfjs,
} from '../harness/weight-writers';
import { writeZip } from '../harness/zip-writer';
import { damaged, damagedJson } from './mutations';
import { answersOrRefuses, target } from './target';

type Bytes = Uint8Array<ArrayBuffer>;

/** A file's own name, or that of a tensor or layer. */
const NAMES = /file\.bin|\.json|\.safetensors|shard|"/;

/** Opens a folder of files by one of them, reads all there is, and loads a network from it. */
async function openAndRead(files: Files, main: string): Promise<WeightSource> {
  const open = (name: string) => {
    const bytes = files.get(name);
    if (bytes) return memorySource(name, bytes);
    throw new ScoreCamError('weights', `The file "${name}" was not given.`);
  };
  const source = await openWeights(open(main), async (path) => open(path));
  for (const [name, { shape }] of source.tensors) {
    await answersOrRefuses(async () => {
      const { length } = await readWhole(source, name);
      if (length !== elementCount(shape)) throw new Error(`${name} has ${length} elements`);
    }, NAMES);
  }
  await answersOrRefuses(() => source.verify?.(), NAMES);
  for (const dtype of ['f32', 'int8'] as const) {
    await answersOrRefuses(async () => {
      for await (const block of weightBlocks(narrowNetwork, source, {
        dtype,
        channelOrder: 'rgb',
      })) {
        const values = block.kind === 'conv' ? block.weight : block.values;
        if (!values.every(Number.isFinite)) throw new Error(`${block.layer.name} is not finite`);
      }
    }, NAMES);
  }
  return source;
}

const openFile = (bytes: Bytes): Promise<WeightSource> =>
  openAndRead(new Map([['file.bin', bytes]]), 'file.bin');

const plain = await writeSafetensors(narrowWeights);

/** Length, header and tensors' bytes. */
function partsOf(bytes: Bytes): { header: Record<string, unknown>; data: Bytes } {
  const end = 8 + Number(new DataView(bytes.buffer).getBigUint64(0, true));
  return { header: JSON.parse(textOf(bytes.subarray(8, end))), data: bytes.slice(end) };
}

const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const bytesOf = (text: string): Bytes => new TextEncoder().encode(text);
/** Characters as bytes of the same number. */
const latin = (text: string): Bytes => Uint8Array.from(text, (c) => c.charCodeAt(0));

function joined(header: string, data: Bytes): Bytes {
  const json = bytesOf(header);
  return concatenate([new Uint8Array(BigUint64Array.of(BigInt(json.length)).buffer), json, data]);
}

/** What is read of F32 tensors is what an independent reading of the header finds there. */
async function openSafetensors(bytes: Bytes): Promise<void> {
  const source = await openFile(bytes);
  const { header, data } = partsOf(bytes);
  for (const [name, { dtype, shape }] of source.tensors) {
    const entry = header[name] as { shape: number[]; data_offsets: [number, number] };
    deepStrictEqual(entry.shape, shape);
    if (dtype !== 'F32') continue;
    const stored = data.slice(...entry.data_offsets);
    deepStrictEqual(await readWhole(source, name), new Float32Array(stored.buffer));
  }
}

const { header, data } = partsOf(plain);
const int8 = await writeSafetensors(narrowWeights, { dtype: 'I8' });
const tfjs = [
  await writeTfjs(narrowWeights, narrowNetwork, { shardBytes: 4096 }),
  await writeTfjs(narrowWeights, narrowNetwork, { quantisation: 'uint8' }),
];
const sharded = await writeShardedSafetensors(narrowWeights, 3);

const withIndex = (files: Files, main: string, index: string): Promise<WeightSource> =>
  openAndRead(new Map([...files, [main, bytesOf(index)]]), main);

const parsed = (files: Files, main: string): unknown =>
  JSON.parse(textOf(files.get(main) as Bytes));

/** A pickle's opcodes and what goes with them; a storage, a tensor, a member of a state dict. */
const STORAGE = '(X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\x000X\x03\0\0\0cpuK\x10tQ';
const TENSOR = `ctorch._utils\n_rebuild_tensor_v2\n(${STORAGE}K\0K\x04K\x02\x86K\x02K\x01\x86tR`;
const opcode = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom(...'}])(tldusea012NRbQ.\x81\x85\x86\x87\x88\x89\x93\x94'),
  },
  {
    weight: 6,
    arbitrary: fc.constantFrom(
      'q\0',
      'h\0',
      'q\x01',
      'h\x01',
      'K\0',
      'K\x04',
      'M\x10\x27',
      'J\xff\xff\xff\xff',
    ),
  },
  {
    weight: 6,
    arbitrary: fc.constantFrom(
      STORAGE,
      TENSOR,
      `X\x01\0\0\0w${TENSOR}s`,
      `(X\x01\0\0\0v${TENSOR}u`,
    ),
  },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      'ccollections\nOrderedDict\n',
      'ccollections\nOrderedDict\n)R',
      'ctorch.nn.parameter\nParameter\n',
      'ctorch._utils\n_rebuild_parameter\n',
      'ctorch._utils\n_rebuild_tensor\n',
      'cposix\nsystem\n',
      'X\x0a\0\0\0state_dict',
      '\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19',
      'G\x7f\xf0\0\0\0\0\0\0',
      'C\x02ab',
      '\x8c\x01a',
      '\x95\0\0\0\0\0\0\0\0',
    ),
  },
  {
    weight: 1,
    arbitrary: fc.uint8Array({ maxLength: 6 }).map((bytes) => String.fromCharCode(...bytes)),
  },
);

/** A file grows by it much less than what it makes may. */
const repeated = fc
  .tuple(
    fc.constantFrom('2\x86', '\x85', '}', '(', '2', 'h\0h\x01R', 'N'),
    fc.constantFrom(30, 60, 5000),
  )
  .map(([operation, times]) => operation.repeat(times));

/** Any opcodes, and a state dict with some in between. */
const program = fc.oneof(
  fc.array(fc.oneof({ weight: 9, arbitrary: opcode }, repeated), { maxLength: 30 }),
  fc
    .array(
      fc.oneof(
        { weight: 4, arbitrary: fc.constantFrom(`X\x01\0\0\0w${TENSOR}s`, 'N0', '(1') },
        opcode,
      ),
      {
        maxLength: 6,
      },
    )
    .map((members) => ['}', `X\x01\0\0\0v${TENSOR}s`, ...members]),
);

const storage0 = { name: 'a/data/0', bytes: new Uint8Array(64) };
const torchZip = (pickle: Bytes): Bytes =>
  writeZip([{ name: 'a/data.pkl', bytes: pickle }, storage0]);

/** PyTorch's own files as they are, without the megabytes. */
const torch = ['zip', 'protocol4', 'shared', 'checkpoint', 'half', 'batch_norm'].map((name) =>
  fixture(`${name}.pth`),
);
const legacy = ['legacy', 'torchvision2017', 'module'].map((name) => fixture(`${name}.pth`));

const state = latin(`\x80\x02}X\x01\0\0\0w${TENSOR}s.`);

const zipEntry = fc.record({
  name: fc.oneof(
    fc.constantFrom('a/data.pkl', 'data.pkl', 'a/data/0', 'a/byteorder', '', 'a/'),
    fc.string({ maxLength: 80 }),
  ),
  bytes: fc.oneof(
    fc.constantFrom(state, latin('little'), storage0.bytes),
    fc.uint8Array({ maxLength: 100 }),
  ),
  method: fc.constantFrom(0, 0, 0, 8),
  flags: fc.constantFrom(0, 0, 0, 1),
});

const zipOptions = { isZip64: fc.boolean(), comment: fc.string({ maxLength: 40 }) };

export const FILES = [
  target('safetensors', 2, damaged(plain, int8), NAMES, openSafetensors),
  target(
    'safetensors-header',
    3,
    damagedJson(header).map((text) => joined(text, data)),
    NAMES,
    openSafetensors,
  ),
  target(
    'safetensors-index',
    2,
    damagedJson(parsed(sharded, 'model.safetensors.index.json')),
    NAMES,
    (index) => withIndex(sharded, 'model.safetensors.index.json', index),
  ),
  target(
    'tfjs',
    3,
    fc
      .constantFrom(...tfjs)
      .chain((files) => fc.tuple(fc.constant(files), damagedJson(parsed(files, 'model.json')))),
    NAMES,
    ([files, index]) => withIndex(files, 'model.json', index),
  ),
  target(
    'pickle',
    6,
    program.map((ops) => torchZip(latin(`\x80\x02${ops.join('')}.`))),
    NAMES,
    openFile,
  ),
  target('torch', 3, damaged(...torch), NAMES, openFile),
  target('torch-legacy', 3, damaged(...legacy), NAMES, openFile),
  target(
    'zip',
    2,
    fc
      .tuple(fc.boolean(), fc.array(zipEntry, { maxLength: 5 }), fc.record(zipOptions))
      .map(([isTorch, entries, options]) =>
        writeZip(
          isTorch ? [{ name: 'a/data.pkl', bytes: state }, storage0, ...entries] : entries,
          options,
        ),
      ),
    NAMES,
    openFile,
  ),
  target(
    'unknown',
    1,
    fc.oneof(
      fc.uint8Array({ maxLength: 600 }).map((bytes) => bytes.slice()),
      fc.constant(plain),
    ),
    NAMES,
    openFile,
  ),
];
