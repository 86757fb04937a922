import { type ByteSource, memorySource, type OpenSibling } from '../../src/model/bytes/byte-source';
import { type ConvLayer, type LinearLayer, type Network, sizeOf } from '../../src/model/network';
import { elementCount, type WeightSource } from '../../src/model/weight-source';

/**
 * Writers of the weight formats, by their specifications and not by the readers: any source's tensors
 * as safetensors (one file or several with an index) or as a TensorFlow.js model.
 */

type Bytes = Uint8Array<ArrayBuffer>;

/** Files by name, as a folder has them. */
export type Files = ReadonlyMap<string, Bytes>;

export interface Folder {
  readonly file: ByteSource;
  readonly sibling: OpenSibling;
  /** Names of the files that `sibling` was asked for, in order. */
  readonly asked: string[];
}

/** A folder in memory, seen from one of its files. */
export function folder(files: Files, main: string): Folder {
  const asked: string[] = [];
  const open = (name: string): ByteSource => {
    const bytes = files.get(name);
    if (!bytes) throw new Error(`the test's folder has no file "${name}"`);
    return memorySource(name, bytes);
  };
  return {
    file: open(main),
    asked,
    async sibling(path) {
      asked.push(path);
      return open(path);
    },
  };
}

export interface SafetensorsOptions {
  /**
   * Element type of all tensors, F32 unless given. I8 is for matrices only, row by row: weight =
   * stored * scale, the scales an F32 tensor `NAME.scale`; the others stay F32.
   */
  readonly dtype?: 'F32' | 'F16' | 'BF16' | 'I8';
  /** A tensor's name in the file; the source's own unless given. */
  readonly rename?: (name: string) => string;
  /** A tensor's shape in the file, of as many elements; the source's own unless given. */
  readonly reshape?: (name: string, shape: readonly number[]) => readonly number[];
}

/** All of a source's tensors as one safetensors file. */
export async function writeSafetensors(
  source: WeightSource,
  options: SafetensorsOptions = {},
): Promise<Bytes> {
  return joinSafetensors(await safetensorsTensors(source, options));
}

/** The same over `parts` files with their `model.safetensors.index.json`. */
export async function writeShardedSafetensors(
  source: WeightSource,
  parts: number,
  options: SafetensorsOptions = {},
): Promise<Files> {
  const tensors = await safetensorsTensors(source, options);
  const files = new Map<string, Bytes>();
  const map: Record<string, string> = {};
  const each = Math.ceil(tensors.length / parts);
  for (let part = 0; part < parts; part++) {
    const own = tensors.slice(part * each, (part + 1) * each);
    const path = `model-${part + 1}-of-${parts}.safetensors`;
    files.set(path, joinSafetensors(own));
    for (const { name } of own) map[name] = path;
  }
  const total = tensors.reduce((sum, { bytes }) => sum + bytes.length, 0);
  files.set(
    'model.safetensors.index.json',
    jsonBytes({ metadata: { total_size: total }, weight_map: map }),
  );
  return files;
}

interface FileTensor {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: Bytes;
}

async function safetensorsTensors(
  source: WeightSource,
  { dtype = 'F32', rename = (name) => name, reshape = (_, shape) => shape }: SafetensorsOptions,
): Promise<FileTensor[]> {
  const tensors: FileTensor[] = [];
  for (const [original, { shape }] of source.tensors) {
    const values = await source.read(original, 0, elementCount(shape));
    const name = rename(original);
    const stored = reshape(original, shape);
    if (dtype === 'I8' && shape.length === 2) {
      const { bytes, scales } = int8Rows(values, shape[0] as number);
      tensors.push({ name, dtype: 'I8', shape: stored, bytes });
      const scale = { name: `${name}.scale`, dtype: 'F32', shape: [scales.length] };
      tensors.push({ ...scale, bytes: bytesOf(scales) });
    } else {
      const kept = dtype === 'I8' ? 'F32' : dtype;
      tensors.push({ name, dtype: kept, shape: stored, bytes: encode(values, kept) });
    }
  }
  return tensors;
}

function joinSafetensors(tensors: readonly FileTensor[]): Bytes {
  const header: Record<string, unknown> = { __metadata__: { format: 'pt' } };
  let end = 0;
  for (const { name, dtype, shape, bytes } of tensors) {
    header[name] = { dtype, shape, data_offsets: [end, end + bytes.length] };
    end += bytes.length;
  }
  const json = jsonBytes(header);
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(json.length), true);
  return concatenate([length, json, ...tensors.map(({ bytes }) => bytes)]);
}

export interface TfjsOptions {
  /** Bytes of each shard but the last; 4 MiB, the converter's, unless given. */
  readonly shardBytes?: number;
  readonly quantisation?: 'uint8' | 'uint16' | 'float16';
  /** Input channels of the first convolution in the order blue, green, red, as Keras' VGGs have them. */
  readonly isBgr?: boolean;
  /** Keras' name of a tensor as the file has it; as it is unless given. */
  readonly rename?: (name: string) => string;
}

/**
 * A VGG as Keras' TensorFlow.js converter writes it: `model.json` and its shards. Tensors are named
 * `block1_conv1/kernel`, ..., `predictions/bias`; convolutions are [h, w, in, out], fully connected
 * layers [in, out] with inputs flattened in HWC order.
 */
export async function writeTfjs(
  source: WeightSource,
  network: Network,
  options: TfjsOptions = {},
): Promise<Files> {
  const { shardBytes = 4 * 1024 * 1024, quantisation, isBgr, rename = (name) => name } = options;
  const weights: Record<string, unknown>[] = [];
  const data: Bytes[] = [];
  const add = (name: string, shape: readonly number[], values: Float32Array<ArrayBuffer>): void => {
    const { bytes, quantization } = quantise(values, quantisation);
    weights.push({ name: rename(name), shape, dtype: 'float32', ...quantization });
    data.push(bytes);
  };
  for (const [position, layer] of network.layers.entries()) {
    if (layer.type !== 'conv' && layer.type !== 'linear') continue;
    const stem = kerasName(layer.name);
    const weight = await source.read(layer.weight, 0, weightCount(layer));
    const bias = await source.read(layer.bias, 0, layer.output.channels);
    if (layer.type === 'conv') {
      const { kernel, input, output } = layer;
      const isFlipped = isBgr === true && position === 0;
      add(
        `${stem}/kernel`,
        [kernel, kernel, input.channels, output.channels],
        toHwio(weight, layer, isFlipped),
      );
    } else {
      const before = network.layers[position - 1]?.output ?? network.input;
      const shape = [sizeOf(layer.input), layer.output.channels];
      add(`${stem}/kernel`, shape, toDense(weight, layer.output.channels, before));
    }
    add(`${stem}/bias`, [layer.output.channels], bias);
  }
  const whole = concatenate(data);
  const count = Math.max(1, Math.ceil(whole.length / shardBytes));
  const paths = Array.from({ length: count }, (_, i) => `group1-shard${i + 1}of${count}.bin`);
  const files = new Map(
    paths.map((path, i) => [path, whole.slice(i * shardBytes, (i + 1) * shardBytes)]),
  );
  const model = { format: 'layers-model', weightsManifest: [{ paths, weights }] };
  files.set('model.json', jsonBytes(model));
  return files;
}

/** Keras' layer name: conv1_2 is block1_conv2, the last layer `predictions`. */
function kerasName(layer: string): string {
  const conv = /^conv(\d)_(\d)$/.exec(layer);
  if (conv) return `block${conv[1]}_conv${conv[2]}`;
  return layer === 'fc3' ? 'predictions' : layer;
}

function weightCount(layer: ConvLayer | LinearLayer): number {
  const perOutput =
    layer.type === 'conv' ? layer.input.channels * layer.kernel ** 2 : sizeOf(layer.input);
  return layer.output.channels * perOutput;
}

/** [out, in, h, w] to [h, w, in, out], the input channels turned round if asked. */
function toHwio(
  values: Float32Array,
  { kernel, input, output }: ConvLayer,
  isFlipped: boolean,
): Float32Array<ArrayBuffer> {
  const turned = new Float32Array(values.length);
  let at = 0;
  for (let y = 0; y < kernel; y++) {
    for (let x = 0; x < kernel; x++) {
      for (let i = 0; i < input.channels; i++) {
        const from = isFlipped ? input.channels - 1 - i : i;
        for (let o = 0; o < output.channels; o++) {
          const index = ((o * input.channels + from) * kernel + y) * kernel + x;
          turned[at++] = values[index] as number;
        }
      }
    }
  }
  return turned;
}

/** [out, c h w] to [h w c, out] */
function toDense(
  values: Float32Array,
  outputs: number,
  { channels, height, width }: Network['input'],
): Float32Array<ArrayBuffer> {
  const turned = new Float32Array(values.length);
  let at = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < channels; c++) {
        for (let o = 0; o < outputs; o++) {
          const index = ((o * channels + c) * height + y) * width + x;
          turned[at++] = values[index] as number;
        }
      }
    }
  }
  return turned;
}

function quantise(
  values: Float32Array<ArrayBuffer>,
  kind: TfjsOptions['quantisation'],
): { bytes: Bytes; quantization?: { quantization: Record<string, unknown> } } {
  if (kind === undefined) return { bytes: bytesOf(values) };
  const original = { dtype: kind, original_dtype: 'float32' };
  if (kind === 'float16') {
    return { bytes: encode(values, 'F16'), quantization: { quantization: original } };
  }
  const levels = kind === 'uint8' ? 255 : 65535;
  const min = values.reduce((a, b) => Math.min(a, b));
  const max = values.reduce((a, b) => Math.max(a, b));
  const scale = (max - min) / levels || 1;
  const stored = Array.from(values, (value) => Math.round((value - min) / scale));
  const array = kind === 'uint8' ? Uint8Array.from(stored) : Uint16Array.from(stored);
  return { bytes: bytesOf(array), quantization: { quantization: { ...original, scale, min } } };
}

/** Values in a smaller format, rounded to nearest, ties to even, as PyTorch rounds. */
export function encode(values: Float32Array<ArrayBuffer>, dtype: 'F32' | 'F16' | 'BF16'): Bytes {
  if (dtype === 'F32') return bytesOf(values.slice());
  return bytesOf(Uint16Array.from(values, dtype === 'F16' ? toHalf : toBfloat16));
}

function toBfloat16(value: number): number {
  const bits = new Uint32Array(Float32Array.of(value).buffer)[0] as number;
  return (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
}

function toHalf(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const magnitude = Math.abs(value);
  const exponent = Math.max(-14, Math.floor(Math.log2(magnitude)));
  // In units of the last place; a carry out of the fraction lands in the exponent, where it belongs.
  const units = roundToEven(magnitude * 2 ** (10 - exponent));
  return magnitude === 0 ? sign : sign | (((exponent + 14) << 10) + units);
}

function roundToEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  return rest > 0.5 || (rest === 0.5 && below % 2 === 1) ? below + 1 : below;
}

/** Each row's integers, largest magnitude 127. */
function int8Rows(
  values: Float32Array,
  rows: number,
): { bytes: Bytes; scales: Float32Array<ArrayBuffer> } {
  const columns = values.length / rows;
  const stored = new Int8Array(values.length);
  const scales = new Float32Array(rows);
  for (let row = 0; row < rows; row++) {
    const own = values.subarray(row * columns, (row + 1) * columns);
    const scale = Math.fround(own.reduce((a, b) => Math.max(a, Math.abs(b)), 0) / 127) || 1;
    scales[row] = scale;
    own.forEach((value, i) => {
      stored[row * columns + i] = Math.max(-127, Math.min(127, Math.round(value / scale)));
    });
  }
  return { bytes: bytesOf(stored), scales };
}

/** Little-endian, as every machine that runs these tests is. */
function bytesOf(
  array: Float32Array<ArrayBuffer> | Uint16Array<ArrayBuffer> | Int8Array<ArrayBuffer> | Bytes,
): Bytes {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

export function jsonBytes(value: unknown): Bytes {
  return new TextEncoder().encode(JSON.stringify(value));
}

export function concatenate(parts: readonly Uint8Array[]): Bytes {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
