import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { WeightDtype } from '../src/kernels/weight_dtype';
import { weightBlocks } from '../src/model/blocks';
import type { ByteSource, OpenSibling } from '../src/model/bytes/byte-source';
import { verifiedSource } from '../src/model/bytes/verified-source';
import { DTYPE_BYTES } from '../src/model/dtypes';
import { openWeights } from '../src/model/formats/open';
import {
  columnScales,
  type EncodedRows,
  encodeColumns,
  partsOf,
  scaleName,
  storedBytes,
  storedTensors,
} from '../src/model/forms';
import type { Manifest } from '../src/model/manifest';
import { buildNetwork, type LinearLayer, type Shape, sizeOf } from '../src/model/network';
import { download } from './download';
import { CliError } from './errors';
import { fileSource } from './file-source';
import type { Step } from './progress';
import { SafetensorsFile } from './safetensors-file';

export interface PrepareOptions {
  /** Of the preset: architecture, labels, and where its weights are unless `from` says otherwise. */
  readonly manifest: Manifest;
  readonly dtype: WeightDtype;
  /** Path or URL of the weights. */
  readonly from?: string | undefined;
  /** Folder to write manifest.json and model.safetensors into. */
  readonly out: string;
  readonly keepDownload: boolean;
  readonly signal: AbortSignal;
  readonly retryDelays?: readonly number[] | undefined;
  onStep(step: Step): void;
}

export interface Prepared {
  /** Path of the manifest. */
  readonly manifest: string;
  readonly bytes: number;
  readonly sha256: string;
}

/**
 * Downloads (if need be), verifies and converts a preset's weights into a folder that the demo and the
 * command line load by name. The manifest is written last: without it the folder is no model.
 */
export async function prepareModel(options: PrepareOptions): Promise<Prepared> {
  const { manifest, dtype, out, signal } = options;
  if (manifest.weights.format === 'seeded') throw new Error('A preset names a file.');
  const { file: address, sha256, channelOrder } = manifest.weights;
  const from = options.from ?? address;
  const isUrl = /^https?:\/\//i.test(from);
  if (!isUrl && options.from === undefined) {
    throw new CliError(
      `Nobody is known to host the weights of ${manifest.name}: give --from FILE or URL of their model.json.`,
    );
  }
  await mkdir(out, { recursive: true });
  const downloads = join(out, 'download');
  const open = opener(isUrl ? new URL(from) : pathToFileURL(resolve(from)), downloads, options);
  try {
    const file = await open.main();
    // A file of the user's own may be any; the preset's is known.
    const expected = options.from === undefined && sha256 ? { sha256 } : {};
    const verified = verifiedSource(file, expected);
    const source = await openWeights(verified, open.sibling);
    const network = buildNetwork(manifest);
    const target = await SafetensorsFile.create(
      join(out, 'model.safetensors'),
      storedTensors(network, dtype),
    );
    try {
      const meter = stepMeter('convert', storedBytes(network, dtype), options.onStep);
      const columns = new Map<string, Columns>();
      for await (const block of weightBlocks(network, source, { dtype, channelOrder })) {
        signal.throwIfAborted();
        if (block.kind === 'columns') {
          const key = block.layer.name;
          const whole =
            columns.get(key) ?? new Columns(block.layer, block.unflattened, dtype, block.largest);
          columns.set(key, whole);
          whole.add(block.first, block.count, block.values);
          if (!whole.isComplete) continue;
          columns.delete(key);
          for (const { tensor, bytes } of whole.parts()) {
            await target.write(tensor, 0, bytes);
            meter(bytes.length);
          }
          continue;
        }
        for (const part of partsOf(block, dtype)) {
          await target.write(part.tensor, part.start * DTYPE_BYTES[part.dtype], part.bytes);
          meter(part.bytes.length);
        }
      }
      await source.verify?.();
      await verified.verify();
      signal.throwIfAborted();
      const written = await target.finish();
      const ready: Manifest = {
        ...manifest,
        name: dtype === 'f32' ? manifest.name : `${manifest.name}-${dtype}`,
        weights: { format: 'safetensors', file: 'model.safetensors', dtype, ...written },
      };
      const path = join(out, 'manifest.json');
      await writeFile(`${path}.part`, `${JSON.stringify(ready, null, 2)}\n`);
      await rename(`${path}.part`, path);
      if (!options.keepDownload) await rm(downloads, { recursive: true, force: true });
      return { manifest: path, ...written };
    } catch (error) {
      await target.abandon();
      throw error;
    }
  } catch (error) {
    // Another file than the one meant: a later run must not go on with it.
    if (isUrl && String(error).includes('SHA-256')) {
      await rm(downloads, { recursive: true, force: true });
    }
    throw error;
  } finally {
    await open.close();
  }
}

/** Opens the weights' file and its siblings, all through the disk: what is on the web is downloaded first. */
function opener(
  main: URL,
  downloads: string,
  options: PrepareOptions,
): { main(): Promise<ByteSource>; sibling: OpenSibling; close(): Promise<void> } {
  const opened: { close(): Promise<void> }[] = [];
  const openUrl = async (url: URL): Promise<ByteSource> => {
    const isLocal = url.protocol === 'file:';
    const path = isLocal ? url : undefined;
    const name = path
      ? decodeURIComponent(path.pathname.replace(/^\/([A-Za-z]:)/, '$1'))
      : await download(url, downloads, {
          signal: options.signal,
          retryDelays: options.retryDelays,
          onBytes: downloadMeter(options.onStep),
        });
    const source = await fileSource(name);
    opened.push(source);
    return isLocal ? source : { ...source, name: String(url) };
  };
  return {
    main: () => openUrl(main),
    sibling: (path) => {
      const url = new URL(path, main);
      // A model's shards lie beside it: an index may not point anywhere else on the disk.
      const inside = relative(dirname(main.pathname), dirname(url.pathname));
      if (url.protocol !== main.protocol || url.host !== main.host || inside.startsWith('..')) {
        throw new CliError(`${main.href} names ${path}, which is not in its folder.`);
      }
      return openUrl(url);
    },
    close: async () => {
      for (const source of opened) await source.close();
    },
  };
}

/** A fully connected layer that arrives input by input, turned round in memory in its final form. */
class Columns {
  private readonly layer: LinearLayer;
  private readonly unflattened: Shape;
  private readonly dtype: WeightDtype;
  private readonly scales: Float32Array<ArrayBuffer> | undefined;
  private readonly data: EncodedRows['data'];
  private done = 0;

  constructor(
    layer: LinearLayer,
    unflattened: Shape,
    dtype: WeightDtype,
    largest: Float32Array | undefined,
  ) {
    this.layer = layer;
    this.unflattened = unflattened;
    this.dtype = dtype;
    const count = layer.output.channels * sizeOf(layer.input);
    this.data =
      dtype === 'f32'
        ? new Float32Array(count)
        : dtype === 'f16'
          ? new Uint16Array(count)
          : new Int8Array(count);
    this.scales = largest && columnScales(largest);
  }

  get isComplete(): boolean {
    return this.done === sizeOf(this.layer.input);
  }

  /** values [count, outFeatures] of inputs first ... first + count, counted in HWC order. */
  add(first: number, count: number, values: Float32Array<ArrayBuffer>): void {
    const { channels, height, width } = this.unflattened;
    const plane = height * width;
    const inputs = channels * plane;
    const outputs = this.layer.output.channels;
    const encoded = encodeColumns(values, outputs, this.dtype, this.scales);
    for (let r = 0; r < count; r++) {
      const source = first + r;
      const input = (source % channels) * plane + Math.floor(source / channels);
      for (let o = 0; o < outputs; o++) {
        this.data[o * inputs + input] = encoded[r * outputs + o] as number;
      }
    }
    this.done += count;
  }

  parts(): { tensor: string; bytes: Uint8Array }[] {
    const { weight } = this.layer;
    const bytes = (data: EncodedRows['data']): Uint8Array => new Uint8Array(data.buffer);
    return [
      ...(this.scales ? [{ tensor: scaleName(weight), bytes: bytes(this.scales) }] : []),
      { tensor: weight, bytes: bytes(this.data) },
    ];
  }
}

function downloadMeter(onStep: (step: Step) => void): (done: number, total: number) => void {
  let started: { at: number; done: number } | undefined;
  return (done, total) => {
    const now = performance.now() / 1000;
    started ??= { at: now, done };
    const seconds = now - started.at;
    // What an earlier run had downloaded says nothing about the speed of this one.
    const rate = seconds > 0 ? (done - started.done) / seconds : 0;
    const secondsLeft = rate > 0 ? (total - done) / rate : undefined;
    onStep({ phase: 'download', done, total, rate, secondsLeft });
  };
}

function stepMeter(
  phase: string,
  total: number,
  onStep: (step: Step) => void,
): (bytes: number) => void {
  const start = performance.now() / 1000;
  let done = 0;
  return (bytes) => {
    done += bytes;
    const seconds = performance.now() / 1000 - start;
    const rate = seconds > 0 ? done / seconds : 0;
    onStep({ phase, done, total, rate, secondsLeft: done > total / 100 ? (total - done) / rate : undefined });
  };
}
