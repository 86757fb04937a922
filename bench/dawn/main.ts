/// The bench by Dawn in Node: built into one file that needs nothing but Node and a dawn.node (docs/benchmarking.md).
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PNG } from 'pngjs';
import { newCommand, parsed } from '../../cli/command';
import { CliError, runCommand, usageError } from '../../cli/errors';
import { parseManifest } from '../../src/model/manifest';
import { openModel } from '../../src/model/model';
import { benchFile } from '../machine';
import { type Host, measure } from '../measure/measure';
import { parseBenchOptions, type RawOptions, withBenchOptions } from '../options';
import { devDependencies } from '../package.json';
import { display } from '../show';
import { writeResults } from '../write';

/** What a dawn.node exports. */
interface Dawn {
  create(flags: readonly string[]): GPU;
  readonly globals: object;
}

const here = fileURLToPath(new URL('.', import.meta.url));

async function main(signal: AbortSignal): Promise<void> {
  const command = withBenchOptions(
    newCommand('bench.mjs', 'Times kernels, VGG-16 and the embedded model by Dawn in Node.'),
  )
    .requiredOption('--dawn-node <file>', "a dawn.node, such as the npm package webgpu's")
    .option('--backend <name>', "Dawn's backend: vulkan, metal or d3d12", defaultBackend());
  const raw = parsed<RawOptions & { dawnNode: string; backend: string }>(command);
  const options = parseBenchOptions(raw);
  const dawn = loadDawn(raw.dawnNode);
  Object.assign(globalThis, dawn.globals);
  const adapter = await adapterOf(dawn, raw.backend, options.adapter);
  const { info } = adapter;
  console.error(`${info.description || info.device} by Dawn, in Node ${process.versions.node}`);
  // Nothing is kept until the end, so that nothing is lost in the middle.
  const interrupted = new Promise<never>((_, reject) =>
    signal.addEventListener('abort', () => reject(signal.reason)),
  );
  const measuring = measure({ ...nodeHost, ...display(), adapter }, options);
  const measured = await Promise.race([measuring, interrupted]);
  const runtime = `Dawn (npm webgpu ${devDependencies.webgpu}) in Node ${process.versions.node}`;
  const file = benchFile(measured, runtime, options.stated);
  writeResults(file, options.out ?? 'bench-results.json', options.report);
}

function defaultBackend(): string {
  const own: Partial<Record<NodeJS.Platform, string>> = { darwin: 'metal', win32: 'd3d12' };
  return own[process.platform] ?? 'vulkan';
}

function loadDawn(path: string): Dawn {
  try {
    return createRequire(import.meta.url)(resolve(path)) as Dawn;
  } catch (error) {
    throw new CliError(
      `--dawn-node ${path} cannot be loaded: ${(error as Error).message} Give the dawn.node of the npm package ` +
        'webgpu for this platform (node_modules/webgpu/dist/...).',
    );
  }
}

/** Dawn ends, and takes Node with it, once this is collected while its devices live. */
let instance: GPU | undefined;

async function adapterOf(dawn: Dawn, backend: string, name?: string): Promise<GPUAdapter> {
  const flags = [`backend=${backend}`, ...(name ? [`adapter=${name}`] : [])];
  let problem = '';
  try {
    // Vulkan layers and unknown flags make it throw; without any adapter it gives null.
    instance = dawn.create(flags);
    const adapter = await instance.requestAdapter();
    if (adapter) return adapter;
  } catch (error) {
    problem = (error as Error).message;
  }
  throw usageError(
    `Dawn offers no adapter for --backend ${backend}${name ? ` --adapter "${name}"` : ''}. ${problem} ` +
      'Choose one of those that there are, or install a driver.',
  );
}

const scenes = (file: string): Buffer => readFileSync(join(here, 'scenes-vgg16', file));

const nodeHost: Pick<Host, 'model' | 'pixels'> = {
  model: async () => {
    const manifest = parseManifest(JSON.parse(scenes('manifest.json').toString()), 'scenes-vgg16');
    const weights = new Blob([new Uint8Array(scenes('model.safetensors'))]);
    return openModel(manifest, undefined, { weights });
  },
  // No canvas here: the sample has the network's size already.
  pixels: async () => {
    const { width, height, data } = PNG.sync.read(scenes('sample.png'));
    return { width, height, data: new Uint8ClampedArray(data) };
  },
};

// Not awaited here: in one file, what is imported on demand stands behind this. Dawn keeps Node alive as long as one of
// its objects lives.
runCommand(main).then(() => process.exit());
