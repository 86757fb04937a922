import { ScoreCamError } from '../../errors';
import type { TensorDtype } from '../../numbers/tensor_dtypes';
import type { ByteSource } from '../bytes/byte-source';
import { tensorOf, type WeightSource } from '../weight-source';
import { readElements, type StoredTensor } from './elements';
import { withHead } from './head';
import { PickleCutOff, type PickleHost, type PickleValue, readPickle } from './pickle';
import { type StateTensor, stateDict, torchHost } from './torch-pickle';
import { checkStored, openEntry, readZipDirectory, type ZipEntry } from './zip';

/** A state dict's pickle has about 200 bytes a tensor; a checkpoint's optimiser doubles that. Read, it takes fifty times its size. */
const LARGEST_PICKLE = 4 * 1024 * 1024;

interface TorchTensorFacts extends StoredTensor {
  readonly storage: string;
}

/**
 * Opens what torch.save writes since PyTorch 1.6: a zip archive with `data.pkl`, which says what there
 * is, and one stored entry `data/KEY` a storage, all in a folder of any name.
 * @throws ScoreCamError `weights` naming file, tensor or global, byte and expectation.
 */
export async function openTorchZip(file: ByteSource): Promise<WeightSource> {
  const fail = (message: string): never => {
    throw new ScoreCamError('weights', `${file.name}: ${message}`);
  };
  const entries = new Map((await readZipDirectory(file)).map((entry) => [entry.name, entry]));
  const pickles = [...entries.values()].filter(({ name }) => /^([^/]+\/)?data\.pkl$/.test(name));
  const [pickle] = pickles;
  if (!pickle || pickles.length > 1) {
    return fail(
      `a zip archive with ${pickles.length} entries "data.pkl" (it has ` +
        `${[...entries.keys()].slice(0, 4).join(', ')}): not what torch.save writes. ` +
        'A Keras file must be converted for TensorFlow.js; another archive must be unpacked.',
    );
  }
  if (pickle.size > LARGEST_PICKLE) {
    fail(`its data.pkl has ${pickle.size} bytes; at most ${LARGEST_PICKLE} are read.`);
  }
  const folder = pickle.name.slice(0, -'data.pkl'.length);
  const pickleAt = await openEntry(file, pickle);
  const bytes = await file.read(pickleAt, pickle.size);
  const order = entries.get(`${folder}byteorder`);
  if (order) {
    const found = order.size <= 6 ? await file.read(await openEntry(file, order), order.size) : '';
    if (new TextDecoder().decode(found || undefined) !== 'little') {
      fail('its numbers are big-endian. Save it again on a little-endian machine.');
    }
  }
  const host = torchHost(file.name);
  const { value } = readPickle(bytes, 0, host, pickleAt);
  const storages = new Map<string, ZipEntry>();
  const found = collect(file.name, value, ({ storage }) => {
    const entry = entries.get(`${folder}data/${storage.key}`);
    if (!entry) return fail(`its pickle names storage "${storage.key}", which the archive lacks.`);
    checkStored(file, entry);
    const need = storage.elements * storage.elementBytes;
    if (need !== entry.size) {
      fail(
        `storage "${storage.key}" needs ${need} bytes; entry "${entry.name}" has ${entry.size}.`,
      );
    }
    storages.set(storage.key, entry);
    return entry.header;
  });
  // One header a storage, read just before its first bytes so that the file is read forwards.
  const starts = new Map<string, Promise<number>>();
  return source(file, found, (key) => {
    const known = starts.get(key);
    if (known) return known;
    const entry = storages.get(key) as ZipEntry;
    const start = openEntry(file, entry).then((data) => data - entry.header);
    starts.set(key, start);
    return start;
  });
}

/** 0x1950a86a20f9469cfc6c, which PyTorch's format before 1.6 starts with, as a pickle. */
const MAGIC = 0x1950a86a20f9469cfc6cn;
const PROTOCOL = 1001;

/**
 * Opens what torch.save wrote before PyTorch 1.6: the pickles of a magic number, the protocol, facts
 * about the machine, the state dict and the storages' keys; then each storage's 64-bit element count
 * and bytes.
 * @throws ScoreCamError `weights` naming file, tensor or global, byte and expectation.
 */
export async function openTorchLegacy(file: ByteSource): Promise<WeightSource> {
  const fail = (message: string): never => {
    throw new ScoreCamError('weights', `${file.name}: ${message}`);
  };
  let head = new Uint8Array(new ArrayBuffer(0));
  let parsed: LegacyHead | undefined;
  // The pickles do not say how long they are.
  for (let length = 64 * 1024; !parsed; length *= 4) {
    const next = Math.min(length, file.size, LARGEST_PICKLE);
    const longer = new Uint8Array(next);
    longer.set(head);
    longer.set(await file.read(head.length, next - head.length), head.length);
    head = longer;
    try {
      parsed = readLegacyHead(file.name, head, fail);
    } catch (error) {
      if (error instanceof PickleCutOff && next < Math.min(file.size, LARGEST_PICKLE)) continue;
      throw error;
    }
  }
  const { value, keys, end, host } = parsed;
  const begins = new Map<string, number>();
  let at = end;
  for (const key of keys) {
    const storage = host.storages.get(key);
    if (!storage) return fail(`it lists storage "${key}", which its pickle does not describe.`);
    if (begins.has(key)) fail(`it lists storage "${key}" twice.`);
    begins.set(key, at);
    at += 8 + storage.elements * storage.elementBytes;
    if (at > file.size) {
      fail(
        `storage "${key}" (${storage.elements} ${storage.dtype}) should end at byte ${at}; the file ` +
          `ends at byte ${file.size}: it is cut off. Download it again.`,
      );
    }
  }
  const whole = withHead(file, head);
  const found = collect(file.name, value, ({ storage }) => {
    return begins.get(storage.key) ?? fail(`storage "${storage.key}" is not among those it lists.`);
  });
  const checked = new Map<string, Promise<number>>();
  return source(whole, found, (key) => {
    const known = checked.get(key);
    if (known) return known;
    const expected = host.storages.get(key)?.elements ?? 0;
    const begin = begins.get(key) as number;
    const start = whole.read(begin, 8).then((bytes) => {
      const count = new DataView(bytes.buffer).getBigInt64(0, true);
      if (count === BigInt(expected)) return 8;
      return fail(
        `storage "${key}" has ${count} elements by the count at byte ${begin}, ${expected} by the ` +
          'pickle: the file is damaged. Download it again.',
      );
    });
    checked.set(key, start);
    return start;
  });
}

interface LegacyHead {
  readonly value: PickleValue;
  readonly keys: readonly string[];
  /** Byte behind the last pickle. */
  readonly end: number;
  readonly host: ReturnType<typeof torchHost>;
}

function readLegacyHead(
  name: string,
  bytes: Uint8Array,
  fail: (message: string) => never,
): LegacyHead {
  /** For what must be plain data. */
  const plain: PickleHost = {
    name,
    global: () => undefined,
    persistent: () => fail('a persistent id where there should be none: damaged.'),
  };
  const magic = readPickle(bytes, 0, plain);
  if (magic.value !== MAGIC) {
    fail('a pickle, but not one that torch.save wrote. Give a file made by torch.save.');
  }
  const protocol = readPickle(bytes, magic.end, plain);
  if (protocol.value !== PROTOCOL) fail(`its protocol is not ${PROTOCOL}, but another one.`);
  const system = readPickle(bytes, protocol.end, plain);
  if (!(system.value instanceof Map) || system.value.get('little_endian') !== true) {
    fail('it was not saved on a little-endian machine. Save it again on one.');
  }
  const host = torchHost(name);
  const state = readPickle(bytes, system.end, host);
  const list = readPickle(bytes, state.end, plain);
  const keys = list.value;
  if (!Array.isArray(keys) || !keys.every((key) => typeof key === 'string')) {
    return fail('its list of storages is none: damaged.');
  }
  return { value: state.value, keys, end: list.end, host };
}

/** The state dict's tensors in the order of the file. `beginOf` says where the storage begins. */
function collect(
  name: string,
  root: PickleValue,
  beginOf: (tensor: StateTensor) => number,
): Map<string, TorchTensorFacts> {
  const tensors = [...stateDict(name, root)].map(([tensorName, tensor]) => {
    const { storage, offset, shape } = tensor;
    const facts: TorchTensorFacts = {
      shape,
      dtype: storage.dtype as TensorDtype,
      begin: beginOf(tensor) + offset * storage.elementBytes,
      storage: storage.key,
    };
    return [tensorName, facts] as const;
  });
  return new Map(tensors.sort(([, a], [, b]) => a.begin - b.begin));
}

/** `headerOf`: bytes of what precedes a storage's elements, once it has been read and checked. */
function source(
  file: ByteSource,
  tensors: ReadonlyMap<string, TorchTensorFacts>,
  headerOf: (storage: string) => Promise<number>,
): WeightSource {
  return {
    name: file.name,
    tensors,
    async read(name, start, count) {
      const tensor = tensorOf({ name: file.name, tensors }, name);
      const begin = tensor.begin + (await headerOf(tensor.storage));
      return readElements(file, name, { ...tensor, begin }, start, count);
    },
  };
}
