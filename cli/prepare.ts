import { mkdir, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { ScoreCamError } from '../src/errors';
import { progressMeter, type Step } from '../src/explain/progress';
import { weightBlocks } from '../src/model/blocks';
import { verifiedSource } from '../src/model/bytes/verified-source';
import { storedBytes, storedTensors } from '../src/model/encoding';
import { openWeights } from '../src/model/formats/open';
import { partsOf } from '../src/model/keep/parts';
import type { Manifest, ManifestWeights } from '../src/model/manifest';
import type { Network } from '../src/model/network';
import { networkOf } from '../src/model/network-of';
import type { WeightSource } from '../src/model/weight-source';
import type { WeightDtype } from '../src/numbers/dtypes';
import { DTYPE_BYTES } from '../src/numbers/tensor_dtypes';
import { Columns } from './columns';
import { CliError, usageError } from './errors';
import { removeEmpty } from './output';
import { SafetensorsFile } from './safetensors-file';
import { isUrl, WeightFiles } from './weight-files';

export interface PrepareOptions {
  /** Of the preset: architecture, labels, and where its weights are unless `from` says otherwise. */
  readonly manifest: Manifest;
  readonly dtype: WeightDtype;
  /** Path or URL of the weights. */
  readonly from?: string | undefined;
  /** Folder to write manifest.json and model.safetensors into. */
  readonly out: string;
  /** Leaves what was downloaded in the folder's {@link DOWNLOADS}. */
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

/** Folder inside the model's; removed with all that is in it once it has served. */
export const DOWNLOADS = 'weights-download';

/**
 * Downloads (if need be), verifies and converts a preset's weights into a folder that the demo and the
 * command line load by name. A model that is there already is replaced at the very end, and stays as it
 * is if anything fails. An interrupted download stays for the next run to go on with.
 * @throws CliError, ScoreCamError `weights` or the signal's reason.
 */
export async function prepareModel(options: PrepareOptions): Promise<Prepared> {
  const { manifest, dtype, keepDownload, signal, retryDelays } = options;
  const network = await networkOf(manifest);
  const out = resolve(options.out);
  const downloads = join(out, DOWNLOADS);
  const { from, expected, channelOrder } = locate(manifest, options.from);
  const onStep = options.onStep.bind(options);
  const files = new WeightFiles(from, { downloads, signal, retryDelays, onStep });
  let made: string | undefined;
  try {
    signal.throwIfAborted();
    made = await mkdir(out, { recursive: true });
    const main = verifiedSource(await files.main(), expected);
    const source = await openWeights(main, (path) => files.sibling(path));
    // Whatever is still to be downloaded comes now, not in the middle of converting.
    await source.verify?.();
    const target = await SafetensorsFile.create(
      join(out, 'model.safetensors'),
      storedTensors(network, dtype),
    );
    const path = join(out, 'manifest.json');
    let written: { bytes: number; sha256: string };
    try {
      await convert(network, source, target, { dtype, channelOrder, signal, onStep });
      await main.verify();
      written = await target.seal();
      const ready: Manifest = {
        ...manifest,
        name: dtype === 'f32' ? manifest.name : `${manifest.name}-${dtype}`,
        weights: { format: 'safetensors', file: 'model.safetensors', dtype, ...written },
      };
      await writeFile(`${path}.part`, `${JSON.stringify(ready, null, 2)}\n`);
      signal.throwIfAborted();
      // All that can fail has been done: the two change places together.
      await target.publish();
      await rename(`${path}.part`, path);
    } catch (error) {
      await target.abandon();
      await rm(`${path}.part`, { force: true });
      throw error;
    }
    await files.close();
    if (files.isRemote && !keepDownload) await rm(downloads, { recursive: true, force: true });
    return { manifest: path, ...written };
  } catch (error) {
    await files.close();
    // What came whole and is of no use is damaged or another file: the next run must start anew.
    if (files.isRemote && error instanceof ScoreCamError && !files.brokeOff) {
      await rm(downloads, { recursive: true, force: true });
    }
    await rmdir(downloads).catch(() => {});
    if (made) removeEmpty(out, made);
    signal.throwIfAborted();
    throw inWords(error, out, storedBytes(network, dtype));
  }
}

type Described = Exclude<ManifestWeights, { format: 'seeded' }>;

function locate(
  { name, weights }: Manifest,
  from: string | undefined,
): {
  from: string;
  expected: Pick<Described, 'sha256' | 'bytes'>;
  channelOrder: Described['channelOrder'];
} {
  if (weights.format === 'seeded') {
    throw usageError(
      `The weights of ${name} are generated from a seed: there is nothing to prepare.`,
    );
  }
  const { file, sha256, bytes, channelOrder } = weights;
  // A file of the user's own may be any; the preset's is known.
  if (from !== undefined) return { from, expected: {}, channelOrder };
  if (isUrl(file)) return { from: file, expected: { sha256, bytes }, channelOrder };
  throw usageError(
    `Nobody is known to host the weights of ${name}. If you have them, prepare them with: npm run weights ` +
      `-- ${name} --from FILE, where FILE is the path or URL of their ${file}.`,
  );
}

interface ConvertOptions extends Pick<PrepareOptions, 'dtype' | 'signal' | 'onStep'> {
  readonly channelOrder: Described['channelOrder'];
}

/** Writes all tensors in the form asked for, at most a layer in memory at a time. */
async function convert(
  network: Network,
  source: WeightSource,
  target: SafetensorsFile,
  { dtype, channelOrder, signal, onStep }: ConvertOptions,
): Promise<void> {
  const meter = progressMeter('convert', onStep, { resumes: true });
  const total = storedBytes(network, dtype);
  let done = 0;
  const write = async (tensor: string, offset: number, bytes: Uint8Array): Promise<void> => {
    await target.write(tensor, offset, bytes);
    done += bytes.length;
    meter(done, total);
  };
  const arriving = new Map<string, Columns>();
  for await (const block of weightBlocks(network, source, { dtype, channelOrder })) {
    signal.throwIfAborted();
    // The clock starts once it is certain that the file is of this model.
    if (done === 0) meter(done, total);
    if (block.kind === 'columns') {
      const { name } = block.layer;
      const columns = arriving.get(name) ?? new Columns(block, dtype);
      arriving.set(name, columns);
      columns.add(block);
      if (!columns.isComplete) continue;
      arriving.delete(name);
      for (const { tensor, bytes } of columns.parts()) await write(tensor, 0, bytes);
    } else {
      for (const part of await partsOf(block, dtype)) {
        await write(part.tensor, part.start * DTYPE_BYTES[part.dtype], part.bytes);
      }
    }
  }
}

/** What the disk refused, as one sentence with a remedy; other errors as they are. */
function inWords(error: unknown, out: string, bytes: number): unknown {
  if (!(error instanceof Error) || !('syscall' in error)) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOSPC') {
    return new CliError(
      `${out}: the disk is full. The converted weights take ${Math.ceil(bytes / 1e6)} MB, and what is ` +
        'downloaded needs room beside them: free some, or choose another place with --out.',
    );
  }
  const reason =
    code === 'EEXIST' || code === 'ENOTDIR' ? 'it, or a folder above it, is a file' : message;
  return new CliError(
    `${out} cannot be written to: ${reason}. Choose another place with npm run weights -- --out FOLDER.`,
  );
}
