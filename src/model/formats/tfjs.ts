import { ScoreCamError, shown } from '../../errors';
import type { TensorDtype } from '../../numbers/tensor_dtypes';
import type { ByteSource, OpenSibling } from '../bytes/byte-source';
import { elementCount, tensorOf, type WeightSource } from '../weight-source';
import { isShape, readElements, type StoredTensor, shapeText } from './elements';
import { checkPartPath, isObject, type JsonObject } from './json';

/** TensorFlow.js' element types: safetensors' name, and bytes of an element. */
const DTYPES: Readonly<Record<string, readonly [dtype: string, bytes: number]>> = {
  float32: ['F32', 4],
  int32: ['I32', 4],
  bool: ['BOOL', 1],
};
const QUANTISED: Readonly<Record<string, readonly [dtype: TensorDtype, bytes: number]>> = {
  uint8: ['U8', 1],
  uint16: ['U16', 2],
  float16: ['F16', 2],
};

interface TfjsTensor extends StoredTensor {
  readonly shards: ShardChain;
  /** value = stored scale + min */
  readonly affine: { readonly scale: number; readonly min: number } | undefined;
}

/**
 * Opens a TensorFlow.js `model.json` (layers or graph model): its weightsManifest lists groups of
 * tensors, whose bytes follow one another through the group's shards. Shapes stay as TensorFlow has
 * them: [height, width, in, out] and [in, out].
 * @throws ScoreCamError `weights` naming file, tensor and expectation.
 */
export function openTfjs(name: string, model: JsonObject, sibling: OpenSibling): WeightSource {
  const fail = (message: string): never => {
    throw new ScoreCamError('weights', `${name}: ${message}`);
  };
  const { weightsManifest: groups } = model;
  if (!Array.isArray(groups)) return fail('"weightsManifest" must be a list.');
  const tensors = new Map<string, TfjsTensor>();
  const chains: ShardChain[] = [];
  for (const group of groups as unknown[]) {
    const { paths, weights } = isObject(group) ? group : {};
    if (!Array.isArray(paths) || !Array.isArray(weights)) {
      return fail('each group of "weightsManifest" must have lists "paths" and "weights".');
    }
    let bytes = 0;
    const entries = (weights as unknown[]).map((weight) => {
      const entry = parseWeight(weight, fail);
      const begin = bytes;
      bytes += entry.bytes;
      return { ...entry, begin };
    });
    if (!Number.isSafeInteger(bytes)) fail('a group of "weightsManifest" has no possible size.');
    const shards = new ShardChain(
      name,
      paths.map((path: unknown) => checkPartPath(name, path)),
      bytes,
      sibling,
    );
    chains.push(shards);
    for (const { name: tensor, shape, dtype, begin, affine } of entries) {
      if (tensors.has(tensor)) fail(`two tensors are called "${tensor}".`);
      tensors.set(tensor, { shape, dtype, begin, affine, shards });
    }
  }
  return {
    name,
    tensors,
    async read(tensor, start, count) {
      const found = tensorOf({ name, tensors }, tensor);
      const values = await readElements(found.shards, tensor, found, start, count);
      if (found.affine) {
        const { scale, min } = found.affine;
        // In f64 and rounded once, as TensorFlow.js' decodeWeights does.
        for (let i = 0; i < values.length; i++) values[i] = (values[i] as number) * scale + min;
      }
      return values;
    },
    async verify() {
      for (const chain of chains) await chain.verify();
    },
  };
}

interface ParsedWeight {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: TensorDtype;
  readonly bytes: number;
  readonly affine: TfjsTensor['affine'];
}

function parseWeight(value: unknown, fail: (message: string) => never): ParsedWeight {
  const { name, shape, dtype, quantization } = isObject(value) ? value : {};
  if (typeof name !== 'string' || !isShape(shape) || typeof dtype !== 'string') {
    return fail('a weight of "weightsManifest" lacks its name, shape or dtype.');
  }
  const known = (table: Readonly<Record<string, readonly [string, number]>>, type: unknown) =>
    typeof type === 'string' && Object.hasOwn(table, type)
      ? (table[type] as readonly [TensorDtype, number])
      : fail(
          `tensor "${name}" (${shapeText(shape)}) is ${shown(type)}; ` +
            `supported are ${Object.keys(table).join(', ')}.`,
        );
  const plain = known(DTYPES, dtype);
  if (quantization === undefined) {
    return {
      name,
      shape,
      dtype: plain[0],
      bytes: plain[1] * elementCount(shape),
      affine: undefined,
    };
  }
  const { dtype: stored, scale, min } = isObject(quantization) ? quantization : {};
  const [storedAs, bytes] = known(QUANTISED, stored);
  if (dtype !== 'float32') fail(`tensor "${name}" is quantised ${dtype}; only float32 is read.`);
  const isNumber = (v: unknown): v is number => typeof v === 'number' && Number.isFinite(v);
  let affine: TfjsTensor['affine'];
  if (storedAs !== 'F16') {
    if (!isNumber(scale) || !isNumber(min)) {
      return fail(`tensor "${name}" is quantised without a finite "scale" and "min".`);
    }
    affine = { scale, min };
  }
  return { name, shape, dtype: storedAs, bytes: bytes * elementCount(shape), affine };
}

/**
 * A group's shards as one run of bytes. How long a shard is, is known only once it is open: they are
 * opened in their order, each once, when a byte behind the ones before is asked for.
 */
class ShardChain implements ByteSource {
  /** Each shard with the byte of the group that it starts at; opened or being opened. */
  private readonly opened: Promise<{ readonly file: ByteSource; readonly start: number }>[] = [];

  constructor(
    readonly name: string,
    private readonly paths: readonly string[],
    readonly size: number,
    private readonly sibling: OpenSibling,
  ) {}

  async read(start: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    const needed: { readonly file: ByteSource; readonly from: number; readonly count: number }[] =
      [];
    // All are opened before anything is allocated: a model.json may claim any size.
    for (let index = 0, at = start; at < start + length; index++) {
      const { file, start: shardStart } = await this.open(index);
      const from = at - shardStart;
      if (from >= file.size) continue;
      const count = Math.min(start + length - at, file.size - from);
      needed.push({ file, from, count });
      at += count;
    }
    const bytes = new Uint8Array(length);
    let done = 0;
    for (const { file, from, count } of needed) {
      bytes.set(await file.read(from, count), done);
      done += count;
    }
    if (start + length === this.size) await this.verify();
    return bytes;
  }

  /** @throws ScoreCamError `weights` unless the shards hold the group's bytes and no more. */
  async verify(): Promise<void> {
    let total = 0;
    for (let index = 0; index < this.paths.length; index++) {
      const { file, start } = await this.open(index);
      total = start + file.size;
    }
    if (total === this.size) return;
    throw new ScoreCamError(
      'weights',
      `${this.name}: its shards ${this.shardNames()} hold ${total} bytes, its tensors need ` +
        `${this.size}: shards of another model, or cut off.`,
    );
  }

  private open(index: number): Promise<{ readonly file: ByteSource; readonly start: number }> {
    const known = this.opened[index];
    if (known) return known;
    const opening = this.openNext(index);
    this.opened[index] = opening;
    return opening;
  }

  private async openNext(
    index: number,
  ): Promise<{ readonly file: ByteSource; readonly start: number }> {
    const before = index > 0 ? await this.open(index - 1) : undefined;
    const start = before ? before.start + before.file.size : 0;
    const path = this.paths[index];
    if (path === undefined) {
      throw new ScoreCamError(
        'weights',
        `${this.name}: its shards ${this.shardNames()} end after ${start} bytes, its tensors need ` +
          `${this.size}: a shard is cut off or missing.`,
      );
    }
    return { file: await this.sibling(path), start };
  }

  private shardNames(): string {
    const { length } = this.paths;
    return length === 0 ? '(none)' : `${this.paths[0]}${length > 1 ? ` ... (${length})` : ''}`;
  }
}
