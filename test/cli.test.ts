/** The command line from end to end, mostly on a network so small that a run takes no time. */
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PNG } from 'pngjs';
import puppeteer from 'puppeteer';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { oneLine } from '../cli/errors';
import type { Summary } from '../cli/explanation/summary';
import { parseName } from '../cli/option-types';
import {
  closeLabels,
  defaultOut,
  findModel,
  parseChannels,
  parseClasses,
  parseMethods,
  readImage,
} from '../cli/options';
import { checkWritable, suffixes, writeAll, writeWhole } from '../cli/output';
import { note } from '../cli/progress';
import { fileAddress, readable, remoteAddress, serveProject } from '../cli/server';
import { duration, printable } from '../cli/words';
import { findBrowser } from '../scripts/browser.mjs';
import { storedTensors } from '../src/model/encoding';
import type { SequentialManifest } from '../src/model/manifest';
import { buildNetwork } from '../src/model/network';
import { presetManifest } from '../src/model/preset-manifests';
import { elementCount } from '../src/model/weight-source';
import { DTYPE_BYTES } from '../src/numbers/tensor_dtypes';
import { generated, HostileServer } from './harness/hostile-server';
import { type Finished, type How, runEach, runScript } from './harness/run-script';
import { redAndBlue, writeToyModel } from './harness/toy-model';

const folder = mkdtempSync(join(tmpdir(), 'score-cam-cli-'));
const inFolder = (...parts: string[]): string => join(folder, ...parts);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('what the words mean', () => {
  const labels = ['red', 'green, like grass', 'blue', 'Blue', 'crane', 'grey fox', 'crane'];

  it.each([
    ['auto', ['auto']],
    ['2', [2]],
    ['0,2,auto,0', [0, 2, 'auto']],
    ['RED', [0]],
    ['blue', [2]],
    ['Blue', [3]],
    ['green, like grass', [1]],
    ['red,Green,like grass , 5', [0, 1, 5]],
  ])('--class %s', (text, expected) => {
    expect(parseClasses(text, labels)).toEqual(expected);
  });

  it.each([
    ['7', /no class 7.*0 to 6/],
    ['', /no class ""/],
    ['red,,blue', /no class ""/],
    ['reed', /no class "reed".*Close ones: red\./],
    ['fox', /Close ones: grey fox/],
    ['zebra crossing', /There are: red; green, like grass/],
    ['BLUE', /2 classes are called "BLUE".*2 or 3/],
    ['crane', /2 classes are called "crane".*4 or 6/],
    ['-1', /no class "-1"/],
  ])('--class %j is refused', (text, message) => {
    expect(() => parseClasses(text, labels)).toThrow(message);
  });

  it('finds labels that are spelt nearly so, best first', () => {
    expect(closeLabels('gray fox', labels)).toEqual(['grey fox']);
    expect(closeLabels('qqqqqq', labels)).toEqual([]);
  });

  it('looks each label up once, however many classes are asked for', () => {
    const many = Array.from({ length: 1000 }, (_, i) => `label ${i}, also called ${i}`);
    let reads = 0;
    const counted = new Proxy(many, {
      get(target, name) {
        reads++;
        return Reflect.get(target, name);
      },
    });
    const asked = many.slice(0, 200);
    expect(parseClasses(asked.join(), counted)).toEqual(asked.map((_, i) => i));
    expect(reads).toBeLessThan(10 * many.length);
    const nonsense = 'x'.repeat(100_000);
    expect(() => parseClasses(nonsense, many)).toThrow(/no class "xxx/);
  });

  it.each([
    ['0', [0]],
    ['0-3,7', [0, 1, 2, 3, 7]],
    ['7, 2 - 3,2', [2, 3, 7]],
  ])('--channels %s', (text, expected) => {
    expect(parseChannels(text, 8)).toEqual(expected);
  });

  it.each([
    ['8', /no channel 8.*0 to 7/],
    ['0-8', /no channel 8/],
    ['3-1', /backwards/],
    ['', /"" is no number/],
    ['1,', /"" is no number/],
    ['-1', /"-1" is no number/],
    ['a', /"a" is no number/],
    ['1.5', /"1.5" is no number/],
  ])('--channels %j is refused', (text, message) => {
    expect(() => parseChannels(text, 8)).toThrow(message);
  });

  it('knows methods by name, each once, and whom an option is of use to', () => {
    expect(parseMethods('score-cam', {})).toEqual(['score-cam']);
    expect(parseMethods('cam, grad-cam++,cam', { of: 'logit' })).toEqual(['cam', 'grad-cam++']);
    expect(() => parseMethods('', {})).toThrow(/no method "".*score-cam, faster-score-cam, /);
    expect(() => parseMethods('cam,grad', {})).toThrow(/no method "grad"/);
    expect(() => parseMethods('cam,grad-cam', { weighting: 'increase' })).toThrow(
      /--weighting is of no use to cam, grad-cam: it belongs to score-cam, faster-score-cam\./,
    );
    expect(() => parseMethods('score-cam', { of: 'logit' })).toThrow(/--of .* grad-cam, /);
    expect(() => parseMethods('hires-cam', { alignCorners: false })).toThrow(/--align-corners/);
    expect(() => parseName('--of', 'loss', ['logit'])).toThrow(/--of "loss": choose from logit/);
  });

  it('finds models by name, path and URL', () => {
    const weights = inFolder('weights');
    mkdirSync(join(weights, 'toy'), { recursive: true });
    mkdirSync(join(weights, 'bare'));
    const manifest = join(weights, 'toy', 'manifest.json');
    writeFileSync(manifest, '{}');
    const file = { kind: 'file', path: manifest };
    expect(findModel('toy', weights)).toEqual(file);
    expect(findModel(manifest, weights)).toEqual(file);
    expect(findModel(join(weights, 'toy'), weights)).toEqual(file);
    expect(findModel('vgg16-seeded-3', weights)).toEqual({
      kind: 'generated',
      name: 'vgg16-seeded-3',
    });
    const url = 'https://example.org/m.json';
    expect(findModel(url, weights)).toEqual({ kind: 'url', url });
    expect(() => findModel('nonsense', weights)).toThrow(/no model "nonsense"/);
    expect(() => findModel(join(weights, 'bare'), weights)).toThrow(/no manifest\.json/);
  });

  it('finds presets that are not on the disk, in any form', () => {
    const weightsFolder = inFolder('weights');
    expect(findModel('vgg16', weightsFolder)).toMatchObject({
      kind: 'preset',
      dtype: 'f32',
      folder: join(weightsFolder, 'vgg16'),
      manifest: { name: 'vgg16' },
    });
    expect(findModel('vgg19_bn-int8', weightsFolder)).toMatchObject({
      kind: 'preset',
      dtype: 'int8',
      folder: join(weightsFolder, 'vgg19_bn-int8'),
      manifest: { name: 'vgg19_bn' },
    });
    expect(() => findModel('vgg16-f8', weightsFolder)).toThrow(/no model "vgg16-f8"/);
    // What a stopped download leaves is no model yet; a manifest makes it one.
    const folderOfIt = join(weightsFolder, 'vgg16');
    mkdirSync(folderOfIt);
    expect(findModel('vgg16', weightsFolder)).toMatchObject({ kind: 'preset' });
    writeFileSync(join(folderOfIt, 'manifest.json'), '{}');
    expect(findModel('vgg16', weightsFolder)).toEqual({
      kind: 'file',
      path: join(folderOfIt, 'manifest.json'),
    });
  });

  it('reads image files only', () => {
    writeFileSync(inFolder('empty.png'), '');
    expect(() => readImage(inFolder('empty.png'))).toThrow(/is empty/);
    expect(() => readImage(inFolder('none.png'))).toThrow(/no file .*none\.png/);
    expect(() => readImage(folder)).toThrow(/not a file/);
  });

  it('puts results beside others, by the name of the image', () => {
    expect(defaultOut('/a/b/my cat.v2.png')).toBe(join('out', 'my cat.v2'));
    expect(defaultOut('plain')).toBe(join('out', 'plain'));
    expect(defaultOut('/a/.png')).toBe(join('out', 'a'));
  });

  it('names files after further classes, never two alike', () => {
    const of = (...names: string[]) =>
      suffixes(names.map((label, i) => ({ index: 10 + i, label })));
    expect(of('a', 'b')).toEqual(['', '-b']);
    expect(of('a', 'green, like grass', 'Crane', 'crane', '***')).toEqual([
      '',
      '-green-like-grass',
      '-crane',
      '-crane-13',
      '-14',
    ]);
  });

  it('names them never alike, whatever labels look like, and in names that file systems take', () => {
    const labels = [
      ...['crane', 'crane', 'Crane 12', 'crane-11', '***', '14', 'é', 'e\u0301', ''],
      ...['\u{1F600}'.repeat(100), 'a'.repeat(300), `${'a'.repeat(300)}b`, '𝒜'.repeat(90)],
    ];
    const names = suffixes(['first', ...labels].map((label, i) => ({ index: 10 + i, label }))).map(
      (suffix) => `overlay-faster-score-cam${suffix}.png`.normalize('NFC').toLowerCase(),
    );
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(Buffer.byteLength(name)).toBeLessThan(255);
    expect(names.filter((name) => name !== Buffer.from(name).toString())).toEqual([]);
  });

  it('shows text from elsewhere without what steers a terminal', () => {
    const text = 'a\u001b[2Jb\u009b31mc\rd\u202ee\u2028f\ng';
    const shown = 'a\\u001b[2Jb\\u009b31mc\\u000dd\\u202ee\\u2028f';
    expect(printable(text)).toBe(`${shown}\\u000ag`);
    expect(printable(text, 'lines')).toBe(`${shown}\ng`);
    expect(JSON.parse(printable(JSON.stringify({ text }, undefined, 2), 'lines'))).toEqual({
      text,
    });
    expect(printable('grüne Ähre, 鶴 %')).toBe('grüne Ähre, 鶴 %');
    expect(oneLine(new Error('x\n\t y\u0007'))).toBe('x y\\u0007');
    expect(oneLine(new Error('x'.repeat(4_000_000))).length).toBeLessThan(3000);
  });

  it('says how far it is', () => {
    const step = { done: 128, total: 512, rate: 45.23, secondsLeft: 8.5 };
    expect(note({ phase: 'masks', ...step })).toBe('128 of 512 passes, 45.2 a second, 9 s left');
    const bytes = { done: 2 ** 20, total: 2 ** 21, rate: 2 ** 19, secondsLeft: undefined };
    expect(note({ phase: 'weights', ...bytes })).toBe('1.0 of 2.0 MiB, 0.5 a second');
    expect([59.2, 61, 3600, 5400].map(duration)).toEqual([
      '1 min 0 s',
      '1 min 1 s',
      '1 h 0 min',
      '1 h 30 min',
    ]);
  });

  it('turns addresses of the local server back into paths and URLs', () => {
    const base = 'http://127.0.0.1:5173';
    const path = '/a b/c#d/manifest.json';
    expect(readable(`${fileAddress(base, path)}: broken`, base)).toBe(`${path}: broken`);
    const url = 'https://example.org:8443/m/manifest.json?x=1';
    expect(readable(`${remoteAddress(base, url)} is not JSON`, base)).toBe(`${url} is not JSON`);
  });
});

describe('files of another site, through the local server', () => {
  it('are passed on with ranges, and not downloaded further than the page reads', async () => {
    const site = await HostileServer.start();
    const { url, close } = await serveProject([], { remoteOrigin: site.origin });
    try {
      // More than all buffers on the way hold.
      const content = generated(512 * 1024 * 1024);
      const address = remoteAddress(url, site.serve('/large.bin', content, { etag: '"one"' }));
      const end = await fetch(address, { headers: { range: `bytes=${content.size - 5}-` } });
      expect({ status: end.status, etag: end.headers.get('etag') }).toEqual({
        status: 206,
        etag: '"one"',
      });
      expect(new Uint8Array(await end.arrayBuffer())).toEqual(
        content.bytes(content.size - 5, content.size),
      );

      const left = new AbortController();
      const { body } = await fetch(address, { signal: left.signal });
      await body?.getReader().read();
      left.abort();
      const [, request] = site.requestsOf('/large.bin');
      expect(await request?.ended).toBe('left');
    } finally {
      await close();
      await site.close();
    }
  });
});

describe('writing results', () => {
  const files = new Map([
    ['a.txt', Buffer.from('new a')],
    ['b.txt', Buffer.from('new b')],
  ]);

  it('makes the folder with all that is above it', () => {
    writeAll(inFolder('deep', 'er', 'out'), files);
    expect(readdirSync(inFolder('deep', 'er', 'out')).sort()).toEqual(['a.txt', 'b.txt']);
    expect(readdirSync(inFolder('deep', 'er'))).toEqual(['out']);
  });

  it('replaces older results and leaves other files alone', () => {
    const out = inFolder('again');
    mkdirSync(out);
    writeFileSync(join(out, 'a.txt'), 'old');
    writeFileSync(join(out, 'mine.txt'), 'mine');
    writeAll(out, files);
    expect(readdirSync(out).sort()).toEqual(['a.txt', 'b.txt', 'mine.txt']);
    expect(readFileSync(join(out, 'a.txt'), 'utf8')).toBe('new a');
  });

  it('changes nothing when something is in the way', () => {
    const out = inFolder('blocked');
    mkdirSync(join(out, 'b.txt'), { recursive: true });
    writeFileSync(join(out, 'a.txt'), 'old');
    expect(() => writeAll(out, files)).toThrow(/b\.txt is a folder/);
    expect(readdirSync(out).sort()).toEqual(['a.txt', 'b.txt']);
    expect(readFileSync(join(out, 'a.txt'), 'utf8')).toBe('old');
  });

  it('takes folders it made away again on failure', () => {
    const bad = new Map([['no/such/folder.txt', Buffer.from('x')]]);
    expect(() => writeAll(inFolder('made', 'for', 'nothing'), bad)).toThrow(/cannot be written/);
    expect(existsSync(inFolder('made'))).toBe(false);
  });

  /** Files whose writing lets another run come between. */
  class Interrupted extends Map<string, Uint8Array> {
    between = (): void => {};
    override *[Symbol.iterator](): MapIterator<[string, Uint8Array]> {
      this.between();
      yield* super.entries();
    }
  }

  it('leaves what another run has finished meanwhile, when it fails itself', () => {
    const bad = new Interrupted([['no/such/folder.txt', Buffer.from('x')]]);
    bad.between = () => writeAll(inFolder('both', 'make', 'theirs'), files);
    expect(() => writeAll(inFolder('both', 'make', 'ours'), bad)).toThrow(/cannot be written/);
    expect(readdirSync(inFolder('both', 'make'))).toEqual(['theirs']);
    expect(readdirSync(inFolder('both', 'make', 'theirs')).sort()).toEqual(['a.txt', 'b.txt']);
  });

  it('goes on where another run has made the same folder meanwhile', () => {
    const ours = new Interrupted([['a.txt', Buffer.from('ours')]]);
    ours.between = () => writeAll(inFolder('same', 'out'), files);
    writeAll(inFolder('same', 'out'), ours);
    expect(readdirSync(inFolder('same'))).toEqual(['out']);
    expect(readFileSync(inFolder('same', 'out', 'a.txt'), 'utf8')).toBe('ours');
    expect(readFileSync(inFolder('same', 'out', 'b.txt'), 'utf8')).toBe('new b');
  });

  it("takes an earlier run's files away, and nobody else's", () => {
    const out = inFolder('stale', 'out');
    const run = (...names: string[]) =>
      new Map(
        ['result.json', ...names].map((name) => [
          name,
          Buffer.from(
            name === 'result.json'
              ? JSON.stringify({
                  files: [...names, name, 'mine.txt', '../map.f32', 'map/../x.f32'],
                })
              : name,
          ),
        ]),
      );
    writeAll(out, run('map.f32', 'scores.f32', 'overlay-blue.png'));
    for (const path of ['mine.txt', 'scores-mine.f32', '../map.f32']) {
      writeFileSync(join(out, path), '');
    }
    writeAll(out, run('map.f32'));
    expect(readdirSync(out).sort()).toEqual([
      ...['map.f32', 'mine.txt', 'result.json', 'scores-mine.f32'],
    ]);
    expect(existsSync(join(out, '../map.f32'))).toBe(true);
    // One that is no result is no reason to stop.
    writeFileSync(join(out, 'result.json'), '{"files": 7');
    writeAll(out, run('map.f32'));
    expect(JSON.parse(readFileSync(join(out, 'result.json'), 'utf8'))).toMatchObject({});
  });

  it('replaces a file whole, or not at all', () => {
    const path = inFolder('whole.txt');
    writeWhole(path, 'old');
    // Another name of the old file, as whoever has opened it already.
    linkSync(path, inFolder('opened.txt'));
    writeWhole(path, Buffer.from('new'));
    expect(readFileSync(path, 'utf8')).toBe('new');
    expect(readFileSync(inFolder('opened.txt'), 'utf8')).toBe('old');
    mkdirSync(inFolder('in the way', 'full'), { recursive: true });
    expect(() => writeWhole(inFolder('in the way'), 'text')).toThrow();
    expect(readdirSync(folder).filter((name) => name.startsWith('.new-'))).toEqual([]);
  });

  it.skipIf(process.platform === 'win32').each([
    ['the folder', () => inFolder('x'.repeat(300))],
    ['one above it', () => inFolder('none', 'x'.repeat(300), 'out')],
    ['in bytes', () => inFolder('é'.repeat(150))],
    ['the path', () => inFolder(...Array.from({ length: 40 }, () => 'x'.repeat(99)), 'yyyy')],
  ])('knows beforehand which names are too long: %s', (_, path) => {
    expect(() => checkWritable(path())).toThrow(/^--out .{100}: a name of .* too long/);
  });

  it('knows beforehand where nothing can be written', () => {
    writeFileSync(inFolder('file'), '');
    expect(() => checkWritable(inFolder('file', 'out'))).toThrow(/is a file, not a folder/);
    expect(() => checkWritable(inFolder('fine', 'out'))).not.toThrow();
    expect(existsSync(inFolder('fine'))).toBe(false);
  });
});

/** A model whose name and labels hold what steers a terminal, and text without any of it. */
const LOUD = {
  name: 'toy\u001b[2J',
  labels: ['red\u001b]0;title\u0007\nWrote to /etc', 'green\u009b31m', 'blue'],
};
// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for
const PRINTABLE = /^[^\u0000-\u0009\u000b-\u001f\u007f-\u009f]*$/;

describe('npm run explain', () => {
  const model = inFolder('toy model');
  const image = inFolder('red and blue.png');
  const never = inFolder('never');

  beforeAll(() => {
    writeToyModel(model);
    writeFileSync(image, redAndBlue());
  });

  it('writes maps, scores and result.json, and prints that with --json', async () => {
    const out = inFolder('json');
    const loud = writeToyModel(inFolder('loud'), LOUD);
    const run = await explain([image, '--model', loud, '--class', '0', '--out', out, '--json']);
    expect(run.stderr).toMatch(/masks: 2 of 2 passes/);
    expect(run.code).toBe(0);
    expect(run.stdout).toMatch(PRINTABLE);
    const result = JSON.parse(run.stdout) as Summary;
    expect(result).toEqual(JSON.parse(readFileSync(join(out, 'result.json'), 'utf8')));
    expect(readdirSync(out).sort()).toEqual([
      'heatmap.png',
      'map.f32',
      'overlay.png',
      'result.json',
      'scores.f32',
    ]);
    expect(Object.keys(result.adapter)).toEqual([
      'vendor',
      'architecture',
      'description',
      'isFallback',
    ]);
    expect(result).toMatchObject({
      model: LOUD.name,
      image,
      class: { index: 0, label: LOUD.labels[0] },
      layer: 'conv1',
      method: 'score-cam',
      weighting: 'probability',
      // Nothing in the image is green, and channel 3 has no weights: two constant maps.
      channels: { total: 4, constant: 2, evaluated: 2 },
      map: { width: 8, height: 8, flat: false },
    });
    expect(result.top).toHaveLength(3);
    expect(result.top.reduce((sum, { probability }) => sum + probability, 0)).toBeCloseTo(1, 5);
    expect(result.weights).toHaveLength(4);
    expect([result.weights[1], result.weights[3]]).toEqual([0, 0]);
    expect(result.weights[0]).toBeGreaterThan(result.weights[2] as number);
    for (const time of Object.values(result.timings)) expect(time).toBeGreaterThanOrEqual(0);
    const { magnitudes } = result.methods[0] as Summary['methods'][number];
    expect(magnitudes.map(({ layer }) => layer)).toEqual(['conv1', 'pool1', 'fc']);
    // Red is 1 where it is, and half of it is what the class is: of 12 of the 16 pooled pixels.
    expect(magnitudes.map(({ largest }) => largest)).toEqual([1, 1, 6]);

    const map = floats(join(out, 'map.f32'));
    expect(map).toHaveLength(64);
    expect([Math.min(...map), Math.max(...map)]).toEqual([0, 1]);
    // Red is on the left.
    expect(map[8 * 4]).toBeGreaterThan(map[8 * 4 + 7] as number);

    const scores = floats(join(out, 'scores.f32'));
    expect(scores).toHaveLength(4 * 3);
    expect(scores.map((score) => !Number.isNaN(score))).toEqual(
      [true, false, true, false].flatMap((evaluated) => [evaluated, evaluated, evaluated]),
    );

    const overlay = PNG.sync.read(readFileSync(join(out, 'overlay.png')));
    const heatmap = PNG.sync.read(readFileSync(join(out, 'heatmap.png')));
    expect([overlay.width, overlay.height, heatmap.width, heatmap.height]).toEqual([8, 8, 8, 8]);
    expect(overlay.data.equals(heatmap.data)).toBe(false);
  });

  it('explains several classes with one run, by a model of a site without CORS, JPEG of any size, for people to read', async () => {
    const photo = inFolder('photo.jpg');
    writeFileSync(photo, await jpeg(30, 20));
    const server = createServer((request, response) => {
      const path = join(model, decodeURIComponent(request.url ?? '').replace('/models/', ''));
      response.end(readFileSync(path));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const url = `http://127.0.0.1:${port}/models/manifest.json`;
    const args = [photo, '--model', url, '--class', 'auto,green, like grass,BLUE'];
    const run = await explain(args).finally(() => server.close());
    expect(run).toMatchObject({ code: 0 });
    expect(run.stdout).toMatch(/^red \(class 0\): probability .* %\n/);
    expect(run.stdout).toContain(`Wrote to ${join('out', 'photo')}: overlay.png, `);
    const out = inFolder('out', 'photo');
    const { classes } = JSON.parse(readFileSync(join(out, 'result.json'), 'utf8')) as Summary;
    expect(classes.map((one) => one.class.label)).toEqual(['red', 'green, like grass', 'blue']);
    expect(classes[1]?.files).toEqual({
      overlay: 'overlay-green-like-grass.png',
      heatmap: 'heatmap-green-like-grass.png',
      map: 'map-green-like-grass.f32',
    });
    for (const { files } of classes) {
      for (const name of Object.values(files)) expect(existsSync(join(out, name))).toBe(true);
    }
    const [red, , blue] = classes.map(({ files }) => floats(join(out, files.map as string)));
    expect(red).not.toEqual(blue);
    // Only the one run's passes.
    expect(run.stderr.match(/masks: 0 of/g)).toHaveLength(1);
  });

  it('sets several methods side by side, with their own options and layers fused', async () => {
    const out = inFolder('methods');
    const run = await explain([
      ...[image, '--model', model, '--out', out, '--class', 'red,blue'],
      ...['--method', 'score-cam,grad-cam,hires-cam', '--layer', 'conv1,pool1'],
      ...['--weighting', 'increase', '--baseline', 'black', '--of', 'probability'],
    ]);
    expect(run).toMatchObject({ code: 0 });
    expect(run.stdout).toContain('grad-cam of conv1,pool1: passes forward 1, backward 2, head 0; ');
    const result = JSON.parse(readFileSync(join(out, 'result.json'), 'utf8')) as Summary;
    const first = { layer: 'conv1,pool1', method: 'score-cam', weighting: 'increase' };
    expect(result).toMatchObject(first);
    expect(result.methods).toMatchObject([
      // Two live channels a layer, the image and the baseline; nothing more for the second class.
      { ...first, of: null, passes: { forward: 6, backward: 0, head: 0 } },
      { method: 'grad-cam', weighting: null, of: 'probability' },
      { method: 'hires-cam', weighting: null, of: 'probability' },
    ]);
    expect(result.methods.map(({ classes }) => classes[0]?.weights.length)).toEqual([8, 8, 0]);
    const names = ['score-cam', 'grad-cam', 'hires-cam'].flatMap((method) =>
      [method, `${method}-blue`].flatMap((name) => [
        `heatmap-${name}.png`,
        `map-${name}.f32`,
        `overlay-${name}.png`,
      ]),
    );
    const written = [...names, 'comparison.png', 'result.json', 'scores.f32'].sort();
    expect(readdirSync(out).sort()).toEqual(written);
    expect(floats(join(out, 'scores.f32'))).toHaveLength(8 * 3);
    const { width, height } = PNG.sync.read(readFileSync(join(out, 'comparison.png')));
    // The image and three methods for two classes, each picture of 8 x 8 enlarged 21 times.
    expect([width, height]).toEqual([4 * (168 + 8) + 8, 2 * (168 + 48) + 8]);
  });

  it('leaves the results of other methods when one fails, and says which and why, and prints nothing that steers a terminal', async () => {
    const out = inFolder('one failed');
    const loud = writeToyModel(inFolder('loud'), LOUD);
    // Nothing is green: the logit is 0, of which Ablation-CAM's weights are shares, and no place counts for it.
    const args = [image, '--model', loud, '--class', '1', '--method'];
    const run = await explain([...args, 'ablation-cam,grad-cam', '--out', out]);
    expect(run.code).toBe(1);
    expect(run.stdout).toMatch(PRINTABLE);
    expect(run.stdout.match(/^Wrote to /gm)).toHaveLength(1);
    expect(run.stdout).toContain('its map is FLAT');
    expect(run.stderr).toMatch(
      /\nNo result by ablation-cam: The weights of conv1.*What the other methods found was written\.\n$/,
    );
    const result = JSON.parse(readFileSync(join(out, 'result.json'), 'utf8')) as Summary;
    const failed = [{ method: 'ablation-cam' }];
    expect(result).toMatchObject({ method: 'grad-cam', failed, map: { flat: true } });
    expect(result.methods).toHaveLength(1);
    expect(readdirSync(out).sort()).toEqual([
      'heatmap-grad-cam.png',
      'map-grad-cam.f32',
      'overlay-grad-cam.png',
      'result.json',
    ]);
    expect(floats(join(out, 'map-grad-cam.f32')).every((value) => value === 0)).toBe(true);
    const alone = await explain([...args, 'ablation-cam', '--out', inFolder('none')]);
    expect(alone).toMatchObject({ code: 1, stdout: '' });
    expect(existsSync(inFolder('none'))).toBe(false);
  });

  it('explains the sample with the embedded model', async () => {
    const run = await explain(['--channels', '0-3', '--out', inFolder('sample'), '--json']);
    expect(run).toMatchObject({ code: 0 });
    const result = JSON.parse(run.stdout) as Summary;
    expect(result).toMatchObject({ model: 'scenes-vgg16', map: { width: 224, height: 224 } });
    expect(result.top).toHaveLength(5);
    expect(result.channels.evaluated).toBeLessThanOrEqual(4);
    const { width, height } = PNG.sync.read(readFileSync(inFolder('sample', 'overlay.png')));
    expect([width, height]).toEqual([224, 224]);
  });

  const text = (name: string, content: string): string => {
    writeFileSync(inFolder(name), content);
    return inFolder(name);
  };

  function expectRefused({ stderr, ...run }: Finished, code: number, message: RegExp): void {
    expect(run).toEqual({ code, stdout: '' });
    const lines = stderr.trimEnd().split('\n');
    expect(lines.filter((line) => !line.startsWith('weights: '))).toHaveLength(1);
    expect(lines.at(-1)).toMatch(message);
    expect(existsSync(never)).toBe(false);
  }

  const REFUSED: readonly [string, () => string[], number, RegExp][] = [
    [
      'a text file as image',
      () => [text('notes.png', 'no image'), '--model', model],
      1,
      /notes\.png \(8 bytes\) is no image/,
    ],
    [
      'missing weights',
      () => [
        image,
        '--model',
        writeToyModel(inFolder('unweighted'), {
          weights: { format: 'safetensors', file: 'none.st' },
        }),
      ],
      1,
      /unweighted\/none\.st answered 404/,
    ],
    ['a missing image', () => ['nowhere.png'], 1, /no file nowhere\.png/],
    ['an unknown model', () => [image, '--model', 'resnet'], 2, /no model "resnet"/],
    [
      'CAM, before other methods run',
      () => [image, '--model', model, '--method', 'score-cam,cam'],
      2,
      /^CAM needs a pooling head/,
    ],
    [
      'a layer for rise',
      () => [image, '--model', model, '--method', 'rise', '--layer', 'conv1'],
      2,
      /--layer is of no use to rise/,
    ],
    [
      'a manifest that is no JSON',
      () => [image, '--model', text('m.json', '{"a":')],
      1,
      /m\.json: it is not JSON/,
    ],
    [
      'a broken manifest',
      () => [image, '--model', writeToyModel(inFolder('broken'), { labels: [] })],
      1,
      /"labels" is \[\]/,
    ],
    ['an unknown class', () => [image, '--model', model, '--class', 'rad'], 2, /Close ones: red/],
    ['an unknown layer', () => [image, '--model', model, '--layer', 'conv9'], 2, /conv9.*conv1/],
    [
      'an unknown method',
      () => [image, '--model', model, '--method', 'lime'],
      2,
      /method "lime".*score-cam/,
    ],
    ['a bad channel', () => [image, '--model', model, '--channels', '4'], 2, /0 to 3/],
    ['an unknown option', () => [image, '--colour', 'red'], 2, /unknown option '--colour'/],
    [
      'more masks than anybody waits for',
      () => [image, '--model', model, '--method', 'rise', '--masks', '1000000000'],
      2,
      /--masks "1000000000": give a whole number from 1 to 100000/,
    ],
    ['two images', () => [image, image], 2, /too many arguments/],
    [
      'a place that is a file',
      () => [image, '--model', model, '--out', join(image, 'out')],
      1,
      /^--out .* is a file, not a folder/,
    ],
    [
      'a class that labels with escapes do not have',
      () => [image, '--model', writeToyModel(inFolder('loud'), LOUD), '--class', 'rad'],
      2,
      PRINTABLE,
    ],
  ];

  describe('before anything is computed', () => {
    let runs: readonly Finished[];

    beforeAll(async () => {
      const lists = REFUSED.map(([, args]) => args());
      const out = (args: string[]) => (args.includes('--out') ? [] : ['--out', never]);
      runs = await explainEach(lists.map((args) => [...args, ...out(args)]));
    });

    it.each(REFUSED.map((one, i) => [one[0], i] as const))(
      'refuses %s in one line and leaves nothing behind',
      (_, i) => {
        const [, , code, message] = REFUSED[i] as (typeof REFUSED)[number];
        expectRefused(runs[i] as Finished, code, message);
      },
    );
  });

  it.skipIf(process.platform === 'win32')('says it when Chrome offers no adapter', async () => {
    const chrome = inFolder('chrome-without-gpu');
    const flags = '--disable-gpu --disable-software-rasterizer';
    writeFileSync(chrome, `#!/bin/sh\nexec '${findBrowser()}' "$@" ${flags}\n`);
    chmodSync(chrome, 0o755);
    const run = await explain([image, '--model', model, '--out', inFolder('never')], {
      env: { CHROME_PATH: chrome },
    });
    expect(run).toMatchObject({ code: 1, stdout: '' });
    expect(run.stderr).toMatch(/^.*Chrome.* offers no WebGPU adapter.*\n$/);
  });

  it('leaves nothing behind when stopped', async () => {
    const parent = inFolder('stopped');
    mkdirSync(parent);
    // Hundreds of MiB of weights are to come when the first line appears.
    const args = [image, '--model', 'vgg16-seeded-1', '--out', join(parent, 'out')];
    // Once: a second signal means at once, without cleaning up.
    let asked = false;
    const run = await explain(args, {
      onStderr: (child) => {
        if (!asked) child.kill('SIGINT');
        asked = true;
      },
    });
    expect(run).toMatchObject({ code: 130, stdout: '' });
    expect(run.stderr).toMatch(/\nStopped: nothing was written\.\n$/);
    expect(readdirSync(parent)).toEqual([]);
  });
});

describe('npm run weights', () => {
  const vgg11 = inFolder('vgg11-zeros.safetensors');

  beforeAll(() => writeZeros(vgg11));

  it('says how it is used', async () => {
    const run = await weights(['--help']);
    expect(run).toMatchObject({ code: 0, stderr: '' });
    for (const word of ['--dtype', 'int8', '--from', '--out', 'vgg16_bn']) {
      expect(run.stdout).toContain(word);
    }
  });

  const refusals: readonly [string, readonly string[], number, RegExp][] = [
    ['an unknown preset', ['vgg12'], 2, /no preset "vgg12": there are vgg11, /],
    ['an unknown form', ['--dtype', 'f8'], 2, /'f8' is invalid.*f32, f16, int8/],
    ['an unknown option', ['--fast'], 2, /unknown option '--fast'.*--help/],
    ['two presets', ['vgg11', 'vgg16'], 2, /too many arguments/],
    ['an empty folder name', ['--out', ''], 2, /--out is empty/],
    ['an empty source', ['--from', ''], 2, /--from is empty/],
    ['an address that is none', ['--from', 'http://'], 2, /"http:\/\/" is not a URL/],
    ['weights that nobody hosts', ['vgg16-keras'], 2, /vgg16-keras --from FILE.*model\.json/],
    ['a missing file', ['--from', 'none.pth'], 1, /no file .*none\.pth/],
    ['weights of another network', ['vgg16', '--from', vgg11], 1, /looks like VGG-11.*is VGG-16/],
  ];

  it('refuses what is wrong in one line and leaves nothing behind', async () => {
    const out = inFolder('no weights');
    const lists = refusals.map(([, args]) =>
      args.includes('--out') ? args : [...args, '--out', out],
    );
    const runs = await runEach('cli/weights.ts', lists, { cwd: folder });
    refusals.forEach(([what, , code, message], i) => {
      const run = runs[i] as Finished;
      expect(run, what).toMatchObject({ code, stdout: '' });
      expect(run.stderr, what).toMatch(/^[^\n]*\n$/);
      expect(run.stderr, what).toMatch(message);
    });
    expect(existsSync(out)).toBe(false);
  });

  it('writes a model that is found by its folder, and says how to use it', async () => {
    const args = ['vgg11', '--dtype', 'int8', '--from', vgg11, '--out', 'zeros'];
    const run = await weights(args);
    expect(run).toMatchObject({ code: 0 });
    const manifest = inFolder('zeros', 'manifest.json');
    const json = JSON.parse(readFileSync(manifest, 'utf8')) as {
      name: string;
      weights: { bytes: number; sha256: string };
    };
    expect(json).toMatchObject({ name: 'vgg11-int8', weights: { dtype: 'int8' } });
    expect(run.stdout).toBe(
      `${join('zeros', 'manifest.json')}: ${(json.weights.bytes / 1e6).toFixed(0)} MB, SHA-256 ` +
        `${json.weights.sha256}\nUse it with: npm run explain -- IMAGE --model zeros\n`,
    );
    expect(run.stderr).toMatch(/^convert: 0\.0 of [\d.]+ MiB\n(convert: .*\n){4}$/);
    expect(findModel(inFolder('zeros'), inFolder('weights'))).toEqual({
      kind: 'file',
      path: manifest,
    });
    rmSync(inFolder('zeros'), { recursive: true });
  });
});

/** An int8 VGG-11 of zeros, 142 MB that take no room on most disks. */
function writeZeros(path: string): void {
  const network = buildNetwork(presetManifest('vgg11') as SequentialManifest);
  let end = 0;
  const header = storedTensors(network, 'int8').map(({ name, shape, dtype }) => {
    const begin = end;
    end += elementCount(shape) * DTYPE_BYTES[dtype];
    return [name, { dtype, shape, data_offsets: [begin, end] }];
  });
  const json = Buffer.from(JSON.stringify(Object.fromEntries(header)));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  writeFileSync(path, Buffer.concat([length, json]));
  truncateSync(path, length.length + json.length + end);
}

const explain = (args: readonly string[], how?: How): Promise<Finished> =>
  runScript('cli/explain.ts', args, { cwd: folder, ...how });

const explainEach = (lists: readonly (readonly string[])[]): Promise<Finished[]> =>
  runEach('cli/explain.ts', lists, { cwd: folder });

const weights = (args: readonly string[]): Promise<Finished> =>
  runScript('cli/weights.ts', args, { cwd: folder });

function floats(path: string): number[] {
  const bytes = readFileSync(path);
  return Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readFloatLE(4 * i));
}

/** The same in any size, as JPEG by Chrome. */
async function jpeg(width: number, height: number): Promise<Buffer> {
  const browser = await puppeteer.connect({ browserWSEndpoint: inject('browserEndpoint') });
  const page = await browser.newPage();
  try {
    const url = await page.evaluate(
      (w, h) => {
        const canvas = document.createElement('canvas');
        canvas.width = w;
        canvas.height = h;
        const context = canvas.getContext('2d') as CanvasRenderingContext2D;
        context.fillStyle = 'red';
        context.fillRect(0, 0, w, h);
        context.fillStyle = 'blue';
        context.fillRect(0.625 * w, 0, w, h);
        return canvas.toDataURL('image/jpeg', 0.95);
      },
      width,
      height,
    );
    return Buffer.from(url.slice(url.indexOf(',') + 1), 'base64');
  } finally {
    await page.close();
    await browser.disconnect();
  }
}
