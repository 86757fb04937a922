/** What a file or a server says may take memory by the file's own size, and no more: in processes with a small heap. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseChannels } from '../cli/options';
import { decode } from '../src/explain/decode';
import { LARGEST_JSON } from '../src/model/formats/json';
import { type Generated, generated, HostileServer } from './harness/hostile-server';
import { type Finished, runScript } from './harness/run-script';
import { concatenate, jsonBytes } from './harness/weight-writers';
import { writeZip } from './harness/zip-writer';

const MIB = 1024 * 1024;
/** A small heap, and an end to what hangs. */
const how = { env: { NODE_OPTIONS: '--max-old-space-size=256' }, timeout: 100_000 };

let folder = '';
let server: HostileServer;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'score-cam-memory-'));
  server = await HostileServer.start();
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

function openFile(bytes: Uint8Array): Promise<Finished> {
  const path = join(folder, 'file.bin');
  writeFileSync(path, bytes);
  return runScript('test/harness/open-file.ts', [path], how);
}

/** A library error as the process prints it. */
function refusal({ code, stdout, stderr }: Finished): string {
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout.length).toBeLessThan(520);
  return stdout;
}

const bytesOf = (text: string): Uint8Array => Uint8Array.from(text, (c) => c.charCodeAt(0));

const torchFile = (...pickle: string[]): Uint8Array =>
  writeZip([
    { name: 'a/data.pkl', bytes: bytesOf(`\x80\x02${pickle.join('')}.`) },
    { name: 'a/data/0', bytes: new Uint8Array(4) },
  ]);

describe('a pickle', () => {
  const storage =
    '((X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\x000X\x03\0\0\0cpuK\x01t'.slice(1);

  it('of 160 kB that rebuilds a long shape again and again is refused', async () => {
    const sizes = `(${'K\x01'.repeat(40_000)}tq\x01`;
    // Each tensor is 5 bytes of the file: function, arguments, call. All of them are kept.
    const pickle = [
      'ctorch._utils\n_rebuild_tensor_v2\nq\x00',
      `(${storage}QK\x00`,
      sizes,
      'h\x01tq\x02',
      `00(${'h\x00h\x02R'.repeat(16_000)}t`,
    ];
    expect(refusal(await openFile(torchFile(...pickle)))).toContain('holds no state dict');
  });

  it('whose state dict holds such a tensor is refused by the length of its shape', async () => {
    const pickle = [
      '}X\x01\0\0\0w',
      'ctorch._utils\n_rebuild_tensor_v2\n',
      `(${storage}QK\x00(${'K\x01'.repeat(40_000)}tq\x01h\x01tR`,
      's',
    ];
    expect(refusal(await openFile(torchFile(...pickle)))).toContain('"w" has 40000 sizes');
  });

  it('of nothing but dicts is refused before they fill the memory', async () => {
    const printed = refusal(await openFile(torchFile('(', '}'.repeat(4 * MIB - 5), 't')));
    expect(printed).toContain('file.bin: the pickle makes an object for less than 4 of its bytes');
  });

  it.each([
    ['nested without end', `)${'\x85'.repeat(200_000)}`],
    ['doubled again and again', `)${'2\x86'.repeat(60)}`],
  ])('that names a global by a tuple %s is refused', async (_, tuple) => {
    // As many bytes as such a number of tuples may have.
    const padding = `X\0\0\x10\0${' '.repeat(MIB)}0`;
    const printed = refusal(await openFile(torchFile(padding, tuple, 'X\x01\0\0\0a\x93')));
    expect(printed).toContain('the pickle asks for a global by something that is no name');
  });
});

it('a shape of 4 MB is refused in a sentence', async () => {
  const shape = `[${'1,'.repeat(2 * MIB)}1]`;
  const header = bytesOf(`{"w":{"dtype":"F32","shape":${shape},"data_offsets":[0,4]}}`);
  const length = new Uint8Array(BigUint64Array.of(BigInt(header.length)).buffer);
  const printed = refusal(await openFile(concatenate([length, header, new Uint8Array(4)])));
  expect(printed).toContain('file.bin: tensor "w" has a malformed header entry');
});

it('a header of more JSON than any network has is not read', async () => {
  const length = new Uint8Array(BigUint64Array.of(BigInt(LARGEST_JSON + 1)).buffer);
  const body = new Uint8Array(LARGEST_JSON + 1).fill(0x20);
  body[0] = 0x7b;
  const printed = refusal(await openFile(concatenate([length, body])));
  expect(printed).toContain(`claims ${LARGEST_JSON + 1} bytes`);
});

describe('an endless manifest', () => {
  /** Spaces behind a brace: as good as endless, and no harm where all of it is read. */
  const endless: Generated = {
    size: 16 * LARGEST_JSON,
    bytes: (start, end) => {
      const bytes = new Uint8Array(end - start).fill(0x20);
      if (start === 0) bytes[0] = 0x7b;
      return bytes;
    },
  };

  it.each([
    ['that does not say its length', { chunked: true }],
    ['that says a shorter length', { announce: 1000, chunked: false }],
    ['that says its length', {}],
  ])('%s is refused by the library', async (what, behaviour) => {
    const url = server.serve(`/${what.length}.json`, endless, behaviour);
    const printed = refusal(await runScript('test/harness/open-file.ts', ['model', url], how));
    expect(printed).toContain(url);
    const [request] = server.requestsOf(`/${what.length}.json`);
    // The bound, and what is on the way in the sockets' buffers.
    expect(request?.sent).toBeLessThan(LARGEST_JSON + 16 * MIB);
  });

  it('is refused by the command line', async () => {
    const url = server.serve('/command-line.json', endless, { chunked: true });
    const { code, stderr } = await runScript('cli/explain.ts', ['--model', url], how);
    expect({ code, lines: stderr.trim().split('\n') }).toEqual({
      code: 1,
      lines: [expect.any(String)],
    });
    expect(stderr).toContain(url);
    expect(stderr).toContain(String(LARGEST_JSON));
    expect(server.requestsOf('/command-line.json')[0]?.sent).toBeLessThan(LARGEST_JSON + 16 * MIB);
  });
});

it('a description that is nested without end is refused in a sentence', async () => {
  const nested = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;
  const manifest = server.serve('/nested.json', bytesOf(`{"format":${nested}}`));
  const printed = refusal(await runScript('test/harness/open-file.ts', ['model', manifest], how));
  expect(printed).toContain('"format" is an unprintable object');
  const index = bytesOf(`{"weight_map":{"w":${nested}}}`);
  expect(refusal(await openFile(index))).toContain('file.bin names an unprintable object');
  const model = bytesOf(
    `{"weightsManifest":[{"paths":[],"weights":[{"name":"w","shape":[],"dtype":"float32","quantization":{"dtype":${nested}}}]}]}`,
  );
  expect(refusal(await openFile(model))).toContain('"w" (scalar) is an unprintable object');
});

it('what a manifest claims of sizes is refused before it is allocated', async () => {
  const layer = (outChannels: number, name: string) => ({
    type: 'conv',
    name,
    outChannels,
    kernel: 3,
    weight: `${name}.w`,
    bias: `${name}.b`,
  });
  const manifest = jsonBytes({
    format: 'score-cam-webgpu/model',
    version: 1,
    name: 'large',
    description: 'large',
    licence: 'MIT',
    input: { width: 32, height: 32, mean: [0, 0, 0], std: [1, 1, 1], resize: 'cover' },
    layers: [layer(65536, 'a'), layer(65536, 'b'), { type: 'globalavgpool', name: 'gap' }],
    targetLayer: 'a',
    labels: Array.from({ length: 65536 }, (_, i) => `${i}`),
    weights: { format: 'seeded', seed: 1 },
  });
  const url = server.serve('/large.json', manifest);
  const printed = refusal(await runScript('test/harness/open-file.ts', ['model', url], how));
  expect(printed).toContain(
    'network: Network "large": layer "b" reads 38654705664 weights at once',
  );
});

it('an endless picture is refused', async () => {
  const most = 256 * MIB;
  const url = server.serve('/picture.png', generated(2 * most), {
    chunked: true,
    type: 'image/png',
  });
  await expect(decode(url)).rejects.toMatchObject({
    code: 'image',
    message: expect.stringMatching(`picture\\.png could not be fetched: .*more than ${most} bytes`),
  });
  expect(server.requestsOf('/picture.png')[0]?.sent).toBeLessThan(most + 16 * MIB);
});

it('the same channels named ten thousand times are as many as once', () => {
  // Joined as lists they are a thousand million numbers.
  expect(parseChannels(`${'0-65535,'.repeat(16_000)}3`, 65536)).toHaveLength(65536);
});
