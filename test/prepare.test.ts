/** Preparing weights for the command line: every format, by path and by URL, whatever the server does. */
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import Ajv from 'ajv';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { download } from '../cli/download';
import { CliError } from '../cli/errors';
import { fileSource } from '../cli/file-source';
import { DOWNLOADS, type PrepareOptions, prepareModel } from '../cli/prepare';
import { SafetensorsFile } from '../cli/safetensors-file';
import schema from '../docs/manifest.schema.json';
import type { Step } from '../src/explain/progress';
import { ScoreCamError, type WeightDtype } from '../src/index';
import { memorySource } from '../src/model/bytes/byte-source';
import { storedBytes, storedTensors } from '../src/model/encoding';
import { openSafetensors } from '../src/model/formats/safetensors';
import { type Manifest, type ManifestWeights, parseManifest } from '../src/model/manifest';
import { buildNetwork } from '../src/model/network';
import { seededWeights } from '../src/model/seeded';
import { vggManifest } from '../src/model/vgg';
import { type Behaviour, generated, HostileServer } from './harness/hostile-server';
import { narrowManifest, narrowNetwork, narrowWeights } from './harness/narrow-vgg';
import { fixture, readAll } from './harness/weight-fixtures';
import {
  type Files,
  jsonBytes,
  writeSafetensors,
  writeShardedSafetensors,
  writeTfjs,
} from './harness/weight-writers';

const MIB = 1024 * 1024;
const NOW: readonly number[] = [0, 0, 0];
const FORMS: readonly WeightDtype[] = ['f32', 'f16', 'int8'];

const folder = mkdtempSync(join(tmpdir(), 'score-cam-prepare-'));
let server: HostileServer;
let places = 0;

beforeAll(async () => {
  server = await HostileServer.start();
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A path nothing is at yet. */
const fresh = (): string => join(folder, `${places++}`, 'model');

/** Writes files into a folder of their own; gives the path of one. */
function written(files: Files, main: string): string {
  const target = fresh();
  for (const [name, bytes] of files) {
    mkdirSync(dirname(join(target, name)), { recursive: true });
    writeFileSync(join(target, name), bytes);
  }
  return join(target, main);
}

/** Serves files in a folder of their own; gives the URL of one. */
function served(files: Files, main: string, behaviour: Behaviour = {}): string {
  const path = `/${places++}`;
  for (const [name, bytes] of files) server.serve(`${path}/${name}`, bytes, behaviour);
  return `${server.origin}${path}/${main}`;
}

const rangesOf = (url: string) => server.rangesOf(new URL(url).pathname);

const preset = (weights: Partial<ManifestWeights>, manifest = narrowManifest): Manifest =>
  ({ ...manifest, weights: { format: 'safetensors', file: 'x', ...weights } }) as Manifest;

function prepare(out: string, manifest: Manifest, options: Partial<PrepareOptions> = {}) {
  return prepareModel({
    manifest,
    dtype: 'f32',
    out,
    keepDownload: false,
    signal: new AbortController().signal,
    retryDelays: NOW,
    onStep: () => {},
    ...options,
  });
}

async function failure(promise: Promise<unknown>): Promise<Error & { code?: string }> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason) => reason,
  );
  expect(error).toBeInstanceOf(Error);
  return error as Error;
}

const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

const torch = await writeSafetensors(narrowWeights);
const one = (bytes: Uint8Array<ArrayBuffer>): Files => new Map([['model.safetensors', bytes]]);
const MAIN = 'model.safetensors';

/** The tensors that a form keeps, by the test's own writer: int8 for matrices, f16 for convolutions. */
async function expectedOf(dtype: WeightDtype) {
  const of = async (stored: 'F32' | 'F16' | 'I8') => {
    const bytes = await writeSafetensors(narrowWeights, { dtype: stored });
    const source = await openSafetensors(memorySource(stored, bytes));
    return { source, values: await readAll(source) };
  };
  const [whole, half, int8] = await Promise.all([of('F32'), of('F16'), of('I8')]);
  const found = new Map<
    string,
    { dtype: string; shape: readonly number[]; values: Float32Array }
  >();
  const names = dtype === 'int8' ? int8.source.tensors.keys() : whole.source.tensors.keys();
  for (const name of names) {
    const rank = (int8.source.tensors.get(name)?.shape ?? []).length;
    const isSmaller = dtype !== 'f32' && rank > 1;
    const { source, values } = !isSmaller
      ? dtype === 'int8'
        ? int8
        : whole
      : dtype === 'int8' && rank === 2
        ? int8
        : half;
    const facts = source.tensors.get(name) as { dtype: string; shape: readonly number[] };
    found.set(name, { ...facts, values: values.get(name) as Float32Array });
  }
  return found;
}

/** Opens what was prepared, and compares every bit with what should be there. */
async function expectPrepared(out: string, dtype: WeightDtype): Promise<void> {
  expect(readdirSync(out).sort()).toEqual(['manifest.json', MAIN]);
  const json: unknown = JSON.parse(readFileSync(join(out, 'manifest.json'), 'utf8'));
  expect(new Ajv({ strict: false }).compile(schema)(json)).toBe(true);
  const bytes = readFileSync(join(out, MAIN));
  const manifest = parseManifest(json);
  expect(manifest.name).toBe(dtype === 'f32' ? 'narrow vgg11' : `narrow vgg11-${dtype}`);
  expect(manifest.weights).toEqual({
    format: 'safetensors',
    file: MAIN,
    dtype,
    bytes: bytes.length,
    sha256: digest(bytes),
    channelOrder: undefined,
  });
  expect({ ...manifest, name: '', weights: '' }).toEqual({
    ...narrowManifest,
    name: '',
    weights: '',
  });

  const headerBytes = Number(bytes.readBigUInt64LE());
  expect(headerBytes % 8).toBe(0);
  const header = JSON.parse(bytes.subarray(8, 8 + headerBytes).toString()) as Record<
    string,
    { dtype: string; data_offsets: [number, number] }
  >;
  const size: Record<string, number> = { F32: 4, F16: 2, I8: 1 };
  let end = 0;
  for (const { dtype: stored, data_offsets: offsets } of Object.values(header)) {
    // One after the other without a gap, as the format demands.
    expect(offsets[0]).toBe(end);
    expect(offsets[0] % (size[stored] as number)).toBe(0);
    end = offsets[1];
  }
  expect(8 + headerBytes + end).toBe(bytes.length);

  const file = await fileSource(join(out, MAIN));
  const source = await openSafetensors(file);
  const values = await readAll(source);
  await file.close();
  const expected = await expectedOf(dtype);
  expect([...source.tensors.keys()].sort()).toEqual([...expected.keys()].sort());
  for (const [name, tensor] of expected) {
    const { dtype: stored, shape } = source.tensors.get(name) as { dtype: string; shape: number[] };
    expect({ name, dtype: stored, shape }).toEqual({
      name,
      dtype: tensor.dtype,
      shape: tensor.shape,
    });
    expect(digest(bytesOf(values.get(name) as Float32Array)), name).toBe(
      digest(bytesOf(tensor.values)),
    );
  }
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

const formats: readonly [string, () => Promise<{ files: Files; main: string; isBgr?: boolean }>][] =
  [
    ['safetensors', async () => ({ files: one(torch), main: MAIN })],
    [
      'sharded safetensors',
      async () => ({
        files: await writeShardedSafetensors(narrowWeights, 3),
        main: 'model.safetensors.index.json',
      }),
    ],
    [
      'PyTorch',
      async () => ({ files: new Map([['zip.pth', fixture('zip.pth')]]), main: 'zip.pth' }),
    ],
    [
      'older PyTorch',
      async () => ({ files: new Map([['legacy.pth', fixture('legacy.pth')]]), main: 'legacy.pth' }),
    ],
    [
      'TensorFlow.js',
      async () => ({
        files: await writeTfjs(narrowWeights, narrowNetwork, { isBgr: true, shardBytes: 1000 }),
        main: 'model.json',
        isBgr: true,
      }),
    ],
  ];

describe('a prepared model', () => {
  it.each(formats)('is the same bit for bit, from %s', async (_, make) => {
    const { files, main, isBgr } = await make();
    const manifest = preset(isBgr ? { channelOrder: 'bgr' } : {});
    const [path, url] = [written(files, main), served(files, main)];
    for (const dtype of FORMS) {
      for (const from of [path, url]) {
        const out = fresh();
        const prepared = await prepare(out, manifest, { dtype, from });
        expect(prepared.manifest).toBe(join(out, 'manifest.json'));
        const bytes = readFileSync(join(out, MAIN));
        expect(prepared).toMatchObject({ bytes: bytes.length, sha256: digest(bytes) });
        await expectPrepared(out, dtype);
      }
    }
  });

  it('can be prepared again, from its own file', async () => {
    const first = fresh();
    await prepare(first, preset({}), { from: written(one(torch), MAIN), dtype: 'int8' });
    const out = fresh();
    await prepare(out, preset({}), { from: join(first, MAIN), dtype: 'int8' });
    await expectPrepared(out, 'int8');
  });

  it('comes from where the preset says, whose size and SHA-256 are checked', async () => {
    const file = served(one(torch), MAIN);
    const out = fresh();
    await prepare(out, preset({ file, sha256: digest(torch), bytes: torch.length }));
    await expectPrepared(out, 'f32');
    const refused = await failure(prepare(fresh(), preset({ file, bytes: torch.length + 1 })));
    expect(refused.message).toContain(`${file} has ${torch.length} bytes, expected were`);
    // A file of one's own is another one.
    await prepare(fresh(), preset({ file, sha256: 'f'.repeat(64) }), { from: file });
  });

  it('tells its progress in bytes, and reaches its totals', async () => {
    const from = served(one(torch), MAIN);
    const steps: Step[] = [];
    const onStep = (step: Step): void => void steps.push(step);
    await prepare(fresh(), preset({}), { from, dtype: 'int8', onStep });
    const totals = { download: torch.length, convert: storedBytes(narrowNetwork, 'int8') };
    expect([...new Set(steps.map(({ phase }) => phase))]).toEqual(Object.keys(totals));
    for (const [phase, total] of Object.entries(totals)) {
      const own = steps.filter((step) => step.phase === phase);
      expect(own[0]).toMatchObject({ done: 0, total, rate: 0, secondsLeft: undefined });
      expect(own.at(-1)).toMatchObject({ done: total, total });
      expect(own.at(-1)?.rate).toBeGreaterThan(0);
      for (const { done, rate } of own) {
        expect(done).toBeLessThanOrEqual(total);
        expect(Number.isFinite(rate)).toBe(true);
      }
    }
  });

  it('keeps the download beside it if asked, and uses it again', async () => {
    const files = await writeShardedSafetensors(narrowWeights, 2);
    const from = served(files, 'model.safetensors.index.json');
    const out = fresh();
    await prepare(out, preset({}), { from, keepDownload: true });
    const kept = join(out, DOWNLOADS);
    for (const [name, bytes] of files)
      expect(readFileSync(join(kept, name))).toEqual(Buffer.from(bytes));
    const asked = server.requests.length;
    await prepare(out, preset({}), { from, dtype: 'f16' });
    expect(server.requests).toHaveLength(asked);
    await expectPrepared(out, 'f16');
  });
});

/** 12 MiB: far enough to go on in the middle of it by a request of its own. */
const LARGE = generated(12 * MIB);
const HALF = 6 * MIB;

describe('a download', () => {
  const serve = (behaviour: Behaviour): URL =>
    new URL(server.serve(`/${places++}/large.bin`, LARGE, behaviour));

  /** Downloads and stops once half of it is there. */
  async function interrupted(url: URL, path: string): Promise<void> {
    const controller = new AbortController();
    const reason = new Error('stopped');
    const run = download(url, path, {
      signal: controller.signal,
      onBytes: (done) => done >= HALF && controller.abort(reason),
    });
    expect(await failure(run)).toBe(reason);
    expect(existsSync(path)).toBe(false);
    expect(Buffer.compare(readFileSync(`${path}.part`), LARGE.bytes(0, HALF))).toBe(0);
    expect(existsSync(`${path}.origin.json`)).toBe(true);
  }

  async function finished(url: URL, path: string): Promise<number[]> {
    const heard: number[] = [];
    const signal = new AbortController().signal;
    await download(url, path, { signal, retryDelays: NOW, onBytes: (done) => heard.push(done) });
    expect(Buffer.compare(readFileSync(path), LARGE.bytes(0, LARGE.size))).toBe(0);
    expect(existsSync(`${path}.part`)).toBe(false);
    return heard;
  }

  it('that breaks off again and again goes on', async () => {
    const url = serve({ cut: { at: HALF, times: 3 } });
    const heard = await finished(url, join(fresh(), 'file'));
    expect(rangesOf(url.href)).toEqual([undefined, ...Array(3).fill(`bytes=${HALF}-`)]);
    expect([heard[0], heard.at(-1)]).toEqual([0, LARGE.size]);
  });

  it('that was stopped is gone on with by the next run, with one request for the rest', async () => {
    const url = serve({ etag: '"one"' });
    const path = join(fresh(), 'file');
    await interrupted(url, path);
    const heard = await finished(url, path);
    expect(rangesOf(url.href)).toEqual([undefined, undefined, `bytes=${HALF}-`]);
    // All that is read of the plain request is its head.
    expect(await server.requestsOf(url.pathname)[1]?.ended).toBe('left');
    expect([heard[0], heard.at(-1)]).toEqual([HALF, LARGE.size]);
    // A finished one is not asked for at all.
    await finished(url, path);
    expect(rangesOf(url.href)).toHaveLength(3);
  });

  it.each<[string, Behaviour]>([
    ['was changed on the server', { etag: (request) => `"${request}"` }],
    ['has no revision', {}],
  ])('that %s starts anew', async (_, behaviour) => {
    const url = serve(behaviour);
    const path = join(fresh(), 'file');
    await interrupted(url, path);
    expect((await finished(url, path))[0]).toBe(0);
    expect(rangesOf(url.href)).toEqual([undefined, undefined]);
  });

  it('is not gone on with from another address, nor with a part that is too long', async () => {
    const path = join(fresh(), 'file');
    const url = serve({ etag: '"one"' });
    await interrupted(url, path);
    const other = serve({ etag: '"one"' });
    expect((await finished(other, path))[0]).toBe(0);

    const longer = join(fresh(), 'file');
    await interrupted(url, longer);
    writeFileSync(`${longer}.part`, new Uint8Array(LARGE.size + 1));
    expect((await finished(url, longer))[0]).toBe(0);
  });
});

describe('what goes wrong', () => {
  const file = (behaviour: Behaviour, bytes = torch): string => served(one(bytes), MAIN, behaviour);

  it('a stopped run leaves what was downloaded, and the next goes on', async () => {
    // 7 MB of weights.
    const manifest = vggManifest({
      ...{ depth: 11, name: 'wide', description: 'd', licence: 'MIT', labels: ['a', 'b'] },
      weights: { format: 'seeded', seed: 5 },
      ...{ widths: [4, 4, 8, 8, 8], hidden: 1300, inputSize: 64 },
    });
    const bytes = await writeSafetensors(seededWeights(buildNetwork(manifest), 5));
    const url = file({ etag: '"one"' }, bytes);
    const own = preset({ file: url, sha256: digest(bytes) }, manifest);
    const out = fresh();
    const controller = new AbortController();
    const reason = new Error('stopped');
    const onStep = ({ done }: Step): void => {
      if (done >= 5 * MIB) controller.abort(reason);
    };
    expect(await failure(prepare(out, own, { signal: controller.signal, onStep }))).toBe(reason);
    expect(readdirSync(out)).toEqual([DOWNLOADS]);
    await prepare(out, own);
    expect(rangesOf(url)).toEqual([undefined, undefined, `bytes=${5 * MIB}-`]);
    expect(readdirSync(out).sort()).toEqual(['manifest.json', MAIN]);
  });

  it('a run stopped while it converts leaves the model that was there', async () => {
    const out = fresh();
    const from = written(one(torch), MAIN);
    await prepare(out, preset({}), { from });
    const controller = new AbortController();
    const onStep = ({ phase, done }: Step): void => {
      if (phase === 'convert' && done > 0) controller.abort(new Error('stopped'));
    };
    const { signal } = controller;
    const stopped = await failure(prepare(out, preset({}), { from, dtype: 'f16', signal, onStep }));
    expect(stopped.message).toBe('stopped');
    await expectPrepared(out, 'f32');
  });

  const broken: readonly [string, Behaviour, RegExp][] = [
    ['a wrong byte', { flip: 9000 }, /SHA-256 \w+, expected was/],
    ['404', { status: () => 404 }, /404.*check the address/],
    ['500 for ever', { status: () => 500 }, /500.*3 further tries/],
    ['a web page', { type: 'text/html' }, /web page/],
    [
      'a length that lies, longer',
      { announce: torch.length + 9 },
      /shorter than the \d+ bytes that were announced/,
    ],
    ['a length that lies, shorter', { announce: torch.length - 9 }, /the header gives/],
    ['connections that always break', { cut: { at: 9000 } }, /byte 9000.*3 further tries/],
  ];
  it.each(broken)(
    '%s: says so, leaves no model, and works once it is mended',
    async (_, how, message) => {
      const url = file(how);
      const own = preset({ file: url, sha256: digest(torch) });
      const out = fresh();
      const error = await failure(prepare(out, own));
      expect(error).toBeInstanceOf(ScoreCamError);
      expect(error.code).toBe('weights');
      expect(error.message).toContain(url);
      expect(error.message).toMatch(message);
      // A download that broke off may stay; nothing else may, least of all a whole file that is wrong.
      if (existsSync(out)) {
        expect(readdirSync(out)).toEqual([DOWNLOADS]);
        expect(readdirSync(join(out, DOWNLOADS)).sort()).toEqual([
          `${MAIN}.origin.json`,
          `${MAIN}.part`,
        ]);
      }

      server.serve(new URL(url).pathname, torch);
      await prepare(out, own);
      await expectPrepared(out, 'f32');
    },
  );

  it.each(broken)('%s: the model that was there stays as it was', async (_, how) => {
    const out = fresh();
    await prepare(out, preset({}), { from: written(one(torch), MAIN), dtype: 'int8' });
    await failure(prepare(out, preset({ file: file(how), sha256: digest(torch) })));
    rmSync(join(out, DOWNLOADS), { recursive: true, force: true });
    await expectPrepared(out, 'int8');
  });

  it('a file that is no model is forgotten, though no SHA-256 is known', async () => {
    const url = file({}, new TextEncoder().encode('<html>log in first</html>'));
    const out = fresh();
    const error = await failure(prepare(out, preset({}), { from: url }));
    expect(error.message).toContain(`${url} is an HTML or XML page`);
    expect(existsSync(dirname(out))).toBe(false);
    server.serve(new URL(url).pathname, torch);
    await prepare(out, preset({}), { from: url });
    await expectPrepared(out, 'f32');
  });

  it.each([
    '../other.bin',
    '/etc/hosts',
    'https://example.org/x.bin',
    '%2e%2e/other.bin',
    'a\\b.bin',
  ])('a part at %s is refused', async (part) => {
    const index = jsonBytes({ weight_map: { 'features.0.weight': part } });
    const files = new Map([['index.json', index]]);
    const asked = server.requests.length;
    for (const from of [served(files, 'index.json'), written(files, 'index.json')]) {
      const error = await failure(prepare(fresh(), preset({}), { from }));
      expect(error.message).toContain(dirname(from));
      // On a disk, %2e is three characters of a name.
      expect(error.message).toMatch(
        part.includes('%') && !from.startsWith('http')
          ? /There is no file .*%2e%2e/
          : /a part must be a file beside it or in a folder below/,
      );
    }
    expect(server.requests.slice(asked).map(({ path }) => path.split('/').at(-1))).toEqual([
      'index.json',
    ]);
  });

  it('a part whose name hides slashes is a name', async () => {
    const secret = written(one(torch), MAIN);
    const index = jsonBytes({ weight_map: { a: `x%2F..%2F..%2F..${encodeURIComponent(secret)}` } });
    const from = written(new Map([['index.json', index]]), 'index.json');
    const error = await failure(prepare(fresh(), preset({}), { from }));
    expect(error).toBeInstanceOf(CliError);
    expect(error.message).toContain('There is no file');
  });

  it('parts in folders below are found, those of one name kept apart', async () => {
    const files = await writeShardedSafetensors(narrowWeights, 2);
    const [a, b] = [...files.keys()] as [string, string];
    const [first, second] = ['one/part.safetensors', 'two of them/part.safetensors'];
    const text = new TextDecoder()
      .decode(files.get('model.safetensors.index.json'))
      .replaceAll(a, first)
      .replaceAll(b, second);
    const moved = new Map([
      ['index.json', new TextEncoder().encode(text)],
      [first, files.get(a) as Uint8Array<ArrayBuffer>],
      [second, files.get(b) as Uint8Array<ArrayBuffer>],
    ]);
    const spaced = new Map(
      Array.from(moved, ([name, bytes]) => [name.replaceAll(' ', '%20'), bytes]),
    );
    for (const from of [written(moved, 'index.json'), served(spaced, 'index.json')]) {
      const out = fresh();
      await prepare(out, preset({}), { from });
      await expectPrepared(out, 'f32');
    }
  });

  it('a Keras model is not taken for one of PyTorch', async () => {
    const from = written(await writeTfjs(narrowWeights, narrowNetwork), 'model.json');
    const error = await failure(prepare(fresh(), preset({}), { from }));
    expect(error.message).toMatch(/is a Keras model.*vgg16-keras/);
  });

  it('weights that nobody hosts must be given', async () => {
    const error = await failure(prepare(fresh(), preset({ file: 'model.json' })));
    expect(error).toMatchObject({ name: 'CliError', exitCode: 2 });
    expect(error.message).toMatch(/npm run weights -- narrow vgg11 --from FILE.*model\.json/);
  });

  it.each<[string, () => string, RegExp]>([
    ['missing', () => join(folder, 'none.safetensors'), /There is no file .*none\.safetensors/],
    ['a folder', () => folder, /is not a file: give the path of the weights/],
    ['no URL', () => 'https://', /"https:\/\/" is not a URL/],
    [
      'cut off',
      () => written(one(torch.slice(0, 5000)), MAIN),
      /model\.safetensors: tensor .* needs \d+ bytes, the header gives/,
    ],
  ])('a file that is %s leaves nothing', async (_, from, message) => {
    const out = fresh();
    const error = await failure(prepare(out, preset({}), { from: from() }));
    expect(error.message).toMatch(message);
    expect(existsSync(dirname(out))).toBe(false);
  });

  it('a folder that cannot be written to is said in a sentence', async () => {
    const from = written(one(torch), MAIN);
    for (const out of [from, join(from, 'below')]) {
      const error = await failure(prepare(out, preset({}), { from }));
      expect(error).toBeInstanceOf(CliError);
      expect(error.message).toBe(
        `${out} cannot be written to: it, or a folder above it, is a file. Choose another place with ` +
          'npm run weights -- --out FOLDER.',
      );
    }
    const blocked = fresh();
    mkdirSync(join(blocked, `${MAIN}.part`), { recursive: true });
    const error = await failure(prepare(blocked, preset({}), { from }));
    expect(error).toBeInstanceOf(CliError);
    expect(error.message).toContain(`${blocked} cannot be written to`);
  });

  it.skipIf(!existsSync('/dev/full'))('a full disk is said, with what is needed', async () => {
    const out = fresh();
    mkdirSync(out, { recursive: true });
    symlinkSync('/dev/full', join(out, `${MAIN}.part`));
    const error = await failure(prepare(out, preset({}), { from: written(one(torch), MAIN) }));
    expect(error).toBeInstanceOf(CliError);
    expect(error.message).toMatch(/the disk is full\. The converted weights take 1 MB/);
    expect(readdirSync(out)).toEqual([]);
  });

  it("leaves the user's own files alone", async () => {
    const out = fresh();
    mkdirSync(join(out, 'download'), { recursive: true });
    writeFileSync(join(out, 'download', 'mine'), 'mine');
    await prepare(out, preset({}), { from: written(one(torch), MAIN) });
    await failure(prepare(out, preset({}), { from: file({ status: () => 404 }) }));
    expect(readFileSync(join(out, 'download', 'mine'), 'utf8')).toBe('mine');
  });
});

describe('a safetensors file written in pieces', () => {
  it('has an aligned header whatever its tensors are called', async () => {
    const path = join(folder, 'names.safetensors');
    for (const name of ['a', 'äö', '重み', '__proto__']) {
      const target = await SafetensorsFile.create(path, [{ name, shape: [2], dtype: 'F16' }]);
      await target.write(name, 2, Uint8Array.of(0, 0x3c));
      await target.write(name, 0, Uint8Array.of(0, 0x40));
      await target.finish();
      const bytes = readFileSync(path);
      expect(Number(bytes.readBigUInt64LE()) % 8).toBe(0);
      const source = await openSafetensors(memorySource(path, new Uint8Array(bytes)));
      expect([...(await source.read(name, 0, 2))]).toEqual([2, 1]);
    }
  });

  it('is refused while bytes are missing, and where two tensors share a name', async () => {
    const path = join(folder, 'half.safetensors');
    const tensor = storedTensors(narrowNetwork, 'f32')[0] as ReturnType<typeof storedTensors>[0];
    const target = await SafetensorsFile.create(path, [tensor]);
    await target.write(tensor.name, 0, new Uint8Array(8));
    await expect(target.finish()).rejects.toThrow(`8 of the 432 bytes of tensor "${tensor.name}"`);
    await target.abandon();
    await expect(SafetensorsFile.create(path, [tensor, tensor])).rejects.toThrow('Two layers name');
    expect(readdirSync(folder).filter((name) => name.startsWith('half'))).toEqual([]);
  });
});
