import { dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { progressMeter, type Step } from '../src/explain/progress';
import type { ByteSource } from '../src/model/bytes/byte-source';
import { siblingUrl } from '../src/model/bytes/sibling-url';
import { download } from './download';
import { CliError, usageError } from './errors';
import { fileSource } from './file-source';

export interface WeightFilesOptions {
  /** Where what is on the web is downloaded to. */
  readonly downloads: string;
  readonly signal: AbortSignal;
  readonly retryDelays?: readonly number[] | undefined;
  onStep(step: Step): void;
}

/** A weights file and those beside it, by path or URL. What is on the web is downloaded first. */
export class WeightFiles {
  /** A download did not come to its end: what there is of it can be gone on with. */
  brokeOff = false;
  private readonly path: string;
  private readonly url: URL | undefined;
  private readonly options: WeightFilesOptions;
  private readonly opened: { close(): Promise<void> }[] = [];

  constructor(from: string, options: WeightFilesOptions) {
    this.url = isUrl(from) ? parsed(from) : undefined;
    this.path = resolve(from);
    this.options = options;
  }

  get isRemote(): boolean {
    return this.url !== undefined;
  }

  main(): Promise<ByteSource> {
    if (!this.url) return this.open(this.path);
    // Already free of slashes and, but for these, of what file systems refuse.
    const name =
      this.url.pathname
        .split('/')
        .at(-1)
        ?.replaceAll(/[^\w.%-]/g, '_') ?? '';
    return this.fetch(this.url, /^\.*$/.test(name) ? 'weights' : name);
  }

  /** @throws CliError or ScoreCamError for a path that leads out of the folder. */
  async sibling(path: string): Promise<ByteSource> {
    if (this.url) {
      const local = path.split('/').map((name) => encodeURIComponent(name).replaceAll('*', '%2A'));
      return this.fetch(siblingUrl(this.url, path), join(...local));
    }
    const folder = dirname(this.path);
    const inside = relative(folder, join(folder, path));
    if (inside.startsWith('..') || isAbsolute(inside)) {
      throw new CliError(`${this.path} names ${path}, which is not in its folder.`);
    }
    return this.open(join(folder, path));
  }

  async close(): Promise<void> {
    for (const source of this.opened.splice(0)) await source.close();
  }

  private async open(path: string): Promise<ByteSource> {
    const source = await fileSource(path);
    this.opened.push(source);
    return source;
  }

  private async fetch(url: URL, local: string): Promise<ByteSource> {
    const { downloads, signal, retryDelays, onStep } = this.options;
    const path = join(downloads, local);
    try {
      const onBytes = progressMeter('download', onStep, { resumes: true });
      await download(url, path, { signal, retryDelays, onBytes });
    } catch (error) {
      this.brokeOff = true;
      throw error;
    }
    return { ...(await this.open(path)), name: url.href };
  }
}

export function isUrl(text: string): boolean {
  return /^https?:\/\//i.test(text);
}

function parsed(text: string): URL {
  try {
    return new URL(text);
  } catch {
    throw usageError(
      `"${text}" is not a URL: give one like https://example.org/model.safetensors.`,
    );
  }
}
