/** What is published: sizes, contents, types for every consumer, and imports in plain Node. */
import { spawnSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire, SourceMap, type SourceMapPayload } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { Ajv } from 'ajv';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectRoot } from '../cli/server';
import { SINGLE_FILE } from '../vite/build';
import { integritiesIn, integrityOf } from '../vite/integrity';
import { BUDGET, packageSizes } from '../vite/sizes';
import { builtPackage } from './harness/built-package';

const dist = join(projectRoot, 'dist');

/** Runs a program to its end; its output where it fails. */
function run(cwd: string, file: string, ...args: string[]): string {
  const shell = process.platform === 'win32' && file === 'npm';
  const { status, stdout, stderr, error } = spawnSync(file, args, { cwd, shell, encoding: 'utf8' });
  if (error) throw error;
  if (status !== 0)
    throw new Error(`${file} ${args.join(' ')} ends with ${status}:\n${stdout}\n${stderr}`);
  return stdout;
}

/** Path of an installed package's program. */
function binOf(name: string, program: string): string {
  const folder = join(projectRoot, 'node_modules', name);
  const { bin } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    bin: Record<string, string>;
  };
  return join(folder, bin[program] as string);
}

const CONSUMER = `
import { createExplainer, type Explanation, type Pixels, ScoreCamError } from 'score-cam-webgpu';
import { METRICS, summarise } from 'score-cam-webgpu/evaluation';
import { createExplainer as fromOneFile, win } from 'score-cam-webgpu/single';
import { ScoreCamElement } from 'score-cam-webgpu/element';
import type {} from 'score-cam-webgpu/element/jsx';

export async function explain(image: Blob, device: GPUDevice): Promise<number> {
  const explainer = await createExplainer({ model: 'vgg16', device });
  const explanation: Explanation = await explainer.explain(image, { method: 'grad-cam' });
  const { data, width, height } = await explanation.overlay();
  await explainer.classify({ data: new Uint8Array(data), width, height } satisfies Pixels);
  // @ts-expect-error Pixels are bytes.
  await explainer.classify({ data: new Float32Array(4), width: 1, height: 1 });
  const measures = await explainer.measure(explanation, { metrics: METRICS });
  // @ts-expect-error No such method: the types are not any.
  await explainer.explain(image, { method: 'tea-leaves' });
  // @ts-expect-error A model is not a number.
  await fromOneFile({ model: 5 });
  const { length }: Float32Array = explanation.map.data;
  return length + measures.passes + Object.keys(summarise([measures])).length + win.length;
}

export async function embed(): Promise<string> {
  ScoreCamElement.worker = '/score-cam-webgpu.js';
  const element = document.createElement('score-cam');
  element.reveal = 'manual';
  element.targetClass = 5;
  element.strings = { explain: 'Voir' };
  // @ts-expect-error No such colours.
  element.colourMap = 'rainbow';
  element.addEventListener('explain', ({ detail }) => detail.top.map(({ label }) => label));
  element.addEventListener('error', ({ detail: { code } }) => code === 'no-webgpu');
  element.addEventListener('click', (event) => event.preventDefault());
  const { class: score } = await element.explain();
  return score.label;
}

export type Tag = JSX.IntrinsicElements['score-cam'];
export const tag: Tag = { src: 'photo.jpg', controls: true, 'colour-map': 'magma' };
// @ts-expect-error No such attribute value.
export const other: Tag = { reveal: 'sometimes' };

export const isOurs = (error: unknown): boolean => error instanceof ScoreCamError;
`;

const IN_NODE = `
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createExplainer, loadModel, loadPreset, openModel, ScoreCamError } from 'score-cam-webgpu';
import { METRICS, pearson } from 'score-cam-webgpu/evaluation';
import * as single from 'score-cam-webgpu/single';
import { ScoreCamElement } from 'score-cam-webgpu/element';
import * as elementFile from 'score-cam-webgpu/element/single';

assert.equal(typeof document, 'undefined');
assert.equal(typeof ScoreCamElement, 'function');
assert.equal(typeof elementFile.ScoreCamElement, 'function');
await assert.rejects(createExplainer({ model: 'vgg16', worker: true }), (error) => error.code === 'worker');
const isRefused = (kind) => (error) => error instanceof kind && error.code === 'no-webgpu';
await assert.rejects(createExplainer({ model: 'vgg16' }), isRefused(ScoreCamError));
await assert.rejects(single.createExplainer({ model: 'vgg16' }), isRefused(single.ScoreCamError));
assert.ok(Math.abs(pearson([1, 2, 3], [2, 4, 6]) - 1) < 1e-12);
assert.deepEqual(single.METRICS, METRICS);
const manifest = new URL(import.meta.resolve('score-cam-webgpu/scenes-vgg16/manifest.json'));
const { weights } = JSON.parse(readFileSync(manifest, 'utf8'));
assert.equal(readFileSync(new URL(weights.file, manifest)).length, weights.bytes);
// What comes on demand: presets and labels, generated weights, PyTorch's files.
const preset = await loadPreset('vgg16');
assert.equal(preset.labels.length, 1000);
const seeded = await loadModel('vgg11-seeded-1');
assert.equal((await seeded.weights.read('classifier.6.bias', 0, 1000)).length, 1000);
const file = new Blob([readFileSync(process.argv[2])]);
const model = await openModel(preset, undefined, { weights: file });
assert.ok(model.weights.tensors.has('features.0.weight'));
`;

describe('the package', () => {
  const temp = mkdtempSync(join(tmpdir(), 'score-cam-package-'));
  const installed = join(temp, 'node_modules', 'score-cam-webgpu');
  let tarball: string;

  beforeAll(async () => {
    await builtPackage();
    const packed = run(projectRoot, 'npm', 'pack', '--json', '--pack-destination', temp);
    const [{ filename }] = JSON.parse(packed) as [{ filename: string }];
    tarball = join(temp, filename);
    mkdirSync(installed, { recursive: true });
    run(temp, 'tar', '-xzf', filename, '-C', installed, '--strip-components=1');
    const webgpu = join('node_modules', '@webgpu');
    symlinkSync(join(projectRoot, webgpu), join(temp, webgpu), 'junction');
    writeFileSync(join(temp, 'package.json'), '{ "type": "module" }');
  });

  afterAll(() => rmSync(temp, { recursive: true, force: true }));

  it('weighs no more than its budget', () => {
    const sizes = packageSizes(dist);
    const { imported, core, single } = sizes;
    for (const name of Object.keys(BUDGET) as (keyof typeof BUDGET)[]) {
      expect(sizes[name], name).toBeLessThanOrEqual(BUDGET[name]);
    }
    expect(imported).toBeLessThan(core);
    // Chunks that nobody asked for are not in the core.
    expect(core).toBeLessThan(single);
  });

  it('holds what is used and nothing else', () => {
    const files = readdirSync(installed, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(installed.length + 1))
      .map((path) => path.replaceAll('\\', '/'));
    const built = files.filter((path) => path.startsWith('dist/'));
    expect(files.filter((path) => !built.includes(path)).sort()).toEqual([
      'LICENSE',
      'README.md',
      'package.json',
      'weights/scenes-vgg16/manifest.json',
      'weights/scenes-vgg16/model.safetensors',
      'weights/scenes-vgg16/sample.png',
    ]);
    expect(built.filter((path) => !/\.(js|js\.map|d\.ts)$/.test(path))).toEqual([
      'dist/custom-elements.json',
    ]);
    for (const entry of [
      'index',
      'evaluation',
      'score-cam-webgpu',
      'element',
      'score-cam-element',
    ]) {
      for (const kind of ['js', 'js.map', 'd.ts']) expect(built).toContain(`dist/${entry}.${kind}`);
    }
  });

  it('is loaded in README.md by its version and the hash of what is built', () => {
    const readme = readFileSync(join(projectRoot, 'README.md'), 'utf8');
    const { version } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as {
      version: string;
    };
    // `npm run build` writes the hash.
    expect(integritiesIn(readme)).toEqual([integrityOf(dist)]);
    expect(readme).toContain(`/score-cam-webgpu@${version}/dist/score-cam-element.js`);
  });

  it('describes its element in a manifest as the standard has it', () => {
    const require = createRequire(import.meta.url);
    const path = join(installed, 'dist/custom-elements.json');
    const manifest = JSON.parse(readFileSync(path, 'utf8')) as object;
    const ajv = new Ajv({ allowUnionTypes: true, strict: false });
    const isValid = ajv.compile(require('custom-elements-manifest/schema.json') as object);
    isValid(manifest);
    expect(isValid.errors ?? []).toEqual([]);
    expect(manifest).toMatchObject({ schemaVersion: '2.1.0' });
  });

  it('brings no other package, so that an audit of it has nothing to find', () => {
    const packed = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as object;
    expect(
      Object.keys(packed)
        .filter((name) => /dependencies$/i.test(name))
        .sort(),
    ).toEqual(['devDependencies', 'peerDependencies']);
    expect(packed).toMatchObject({
      peerDependenciesMeta: { '@webgpu/types': { optional: true } },
      peerDependencies: { '@webgpu/types': expect.any(String) },
    });
    expect(packed).not.toHaveProperty('scripts.install');
    expect(packed).not.toHaveProperty('scripts.postinstall');
  });

  it('publint finds nothing', async () => {
    const packed = readFileSync(tarball);
    const { messages, pkg } = await publint({
      pack: { tarball: new Uint8Array(packed).buffer },
      strict: true,
    });
    expect(messages.map((message) => formatMessage(message, pkg))).toEqual([]);
  });

  it('attw finds nothing but that CommonJS must import()', () => {
    const program = binOf('@arethetypeswrong/cli', 'attw');
    // Told by .attw.json what this package does not serve: require(), and TypeScript's resolution of 2012.
    const output = run(projectRoot, process.execPath, program, tarball, '--format', 'json');
    const { analysis } = JSON.parse(output) as { analysis: { entrypoints: object } };
    expect(Object.keys(analysis.entrypoints)).toEqual(
      expect.arrayContaining(['.', './evaluation', './single']),
    );
  });

  it.each([
    ['Node16', 'Node16'],
    ['ESNext', 'Bundler'],
  ])(
    'its types compile in a strict project: module %s, resolution %s',
    (module, moduleResolution) => {
      writeFileSync(join(temp, 'consumer.ts'), CONSUMER);
      const compilerOptions = {
        module,
        moduleResolution,
        target: 'ES2022',
        lib: ['ES2023', 'DOM'],
        types: [],
        strict: true,
        exactOptionalPropertyTypes: true,
        skipLibCheck: false,
        noEmit: true,
      };
      const project = JSON.stringify({ compilerOptions, files: ['consumer.ts'] });
      writeFileSync(join(temp, 'tsconfig.json'), project);
      run(temp, process.execPath, binOf('typescript', 'tsc'), '-p', 'tsconfig.json');
    },
  );

  it('imports in Node, without a DOM, finds the embedded model, and what comes on demand', () => {
    writeFileSync(join(temp, 'in-node.mjs'), IN_NODE);
    const torchFile = join(projectRoot, 'test/fixtures/zip.pth');
    run(temp, process.execPath, 'in-node.mjs', torchFile);
  });

  describe('its sourcemaps', () => {
    const maps = (): string[] =>
      (readdirSync(dist, { recursive: true }) as string[]).filter((name) =>
        name.endsWith('.js.map'),
      );

    it('belong to every script and hold every source', () => {
      const scripts = (readdirSync(dist, { recursive: true }) as string[])
        .filter((name) => name.endsWith('.js'))
        .sort();
      expect(
        maps()
          .map((name) => name.slice(0, -'.map'.length))
          .sort(),
      ).toEqual(scripts);
      for (const name of maps()) {
        const { sources, sourcesContent } = JSON.parse(readFileSync(join(dist, name), 'utf8')) as {
          sources: string[];
          sourcesContent: (string | null)[];
        };
        expect(sourcesContent).toHaveLength(sources.length);
        expect(sources.filter((_, i) => !sourcesContent[i])).toEqual([]);
      }
    });

    it.each([
      [SINGLE_FILE, 'no-webgpu', 'src/gpu/faults.ts'],
      [SINGLE_FILE, 'byteorder', 'src/model/formats/torch.ts'],
      ['chunks/torch.js', 'byteorder', 'src/model/formats/torch.ts'],
      ['evaluation.js', 'has no weights to randomise', 'src/evaluation/randomise.ts'],
    ])('%s: %j leads to %s', (file, text, source) => {
      const code = readFileSync(join(dist, file), 'utf8');
      expect(code).toMatch(new RegExp(`//# sourceMappingURL=${basename(file)}\\.map\\n?$`));
      const map = JSON.parse(readFileSync(join(dist, `${file}.map`), 'utf8')) as {
        sources: string[];
        sourcesContent: string[];
      };
      expect(code).toContain(text);
      const before = code.slice(0, code.indexOf(text)).split('\n');
      const entry = new SourceMap(map as SourceMapPayload).findEntry(
        before.length - 1,
        (before.at(-1) as string).length,
      );
      if (!('originalSource' in entry)) throw new Error('This position is not mapped.');
      expect(entry.originalSource.endsWith(`/${source}`)).toBe(true);
      const original = map.sourcesContent[map.sources.indexOf(entry.originalSource)] as string;
      expect(original).toBe(readFileSync(join(projectRoot, source), 'utf8'));
      expect(original.split('\n')[entry.originalLine]?.slice(entry.originalColumn)).toContain(text);
    });
  });
});
