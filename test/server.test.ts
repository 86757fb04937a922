/** Who may read what from the local server. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fileAddress, remoteAddress, type Serving, serveProject } from '../cli/server';
import { HostileServer } from './harness/hostile-server';
import { runScript } from './harness/run-script';

const folder = mkdtempSync(join(tmpdir(), 'score-cam-server-'));
const model = join(folder, 'model');
const secret = join(folder, 'secret.json');
let serving: Serving;
let site: HostileServer;
let other: HostileServer;

beforeAll(async () => {
  mkdirSync(model);
  writeFileSync(secret, '"secret"');
  writeFileSync(join(model, 'manifest.json'), '{}');
  writeFileSync(join(model, 'real.ts'), 'export {};');
  symlinkSync(secret, join(model, 'link.json'));
  symlinkSync(secret, join(model, 'link.html'));
  symlinkSync(folder, join(model, 'above'));
  symlinkSync(join(model, 'manifest.json'), join(model, 'inside.json'));
  site = await HostileServer.start();
  other = await HostileServer.start();
  serving = await serveProject([model], { remoteOrigin: site.origin });
});
afterAll(async () => {
  await serving?.close();
  await site?.close();
  await other?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Of a path as it is written: fetch would resolve it first. */
function ask(
  path: string,
  headers: Record<string, string> = {},
): Promise<{ status: number; headers: NodeJS.Dict<string | string[]>; body: string }> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(serving.url);
    get({ hostname, port, path, headers }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (part) => {
        body += part;
      });
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body });
      });
    }).on('error', reject);
  });
}

const base = (): string => new URL(serving.url).pathname;
const inModel = (name: string): string =>
  new URL(fileAddress(serving.url, join(model, name))).pathname;

describe('the local server', () => {
  it('serves pages, TypeScript and files of its folders to who knows its address', async () => {
    const page = await ask(`${base()}/cli/page.html`);
    expect(page).toMatchObject({ status: 200 });
    expect(page.body).toContain('src="./page.ts"');
    expect(page.body).not.toContain('@vite/client');
    const script = await ask(`${base()}/cli/page.ts`);
    expect(script.status).toBe(200);
    expect(script.body).not.toContain('declare global');
    expect(await ask(inModel('manifest.json'))).toMatchObject({ status: 200, body: '{}' });
    expect(await ask(inModel('inside.json'))).toMatchObject({ status: 200, body: '{}' });
  });

  it.each([
    '/',
    '/index.html',
    '/cli/page.html',
    '/@fs/etc/hostname',
    `/${'0'.repeat(32)}/cli/page.ts`,
  ])('tells nobody else anything, not even its address: %s', async (path) => {
    for (const accept of ['text/html', '*/*']) {
      const { status, headers, body } = await ask(path, { accept });
      expect({ status, body, location: headers.location }).toEqual({ status: 404, body: '' });
    }
  });

  it('has another address each time', async () => {
    const second = await serveProject();
    await second.close();
    const [a, b] = [serving, second].map(({ url }) => new URL(url).pathname);
    expect(a).toMatch(/^\/[0-9a-f]{32}$/);
    expect(b).not.toBe(a);
  });

  it('lets pages of no other origin read it, or embed what it serves', async () => {
    for (const path of [`${base()}/cli/page.html`, inModel('manifest.json')]) {
      for (const origin of [
        'http://localhost:1234',
        'http://127.0.0.1:1234',
        'https://example.org',
      ]) {
        const { headers } = await ask(path, { origin });
        expect(Object.keys(headers).filter((name) => name.startsWith('access-control'))).toEqual(
          [],
        );
        expect(headers['cross-origin-resource-policy']).toBe('same-origin');
      }
    }
  });

  it('answers no page that found it by a name of its own', async () => {
    const path = inModel('manifest.json');
    expect(await ask(path, { host: 'rebound.example:80' })).toMatchObject({
      status: 403,
      body: '',
    });
    expect(await ask(path, { host: 'localhost:1234' })).toMatchObject({ status: 200 });
  });

  it.each([
    ['a link to a file', () => inModel('link.json')],
    ['a link to a file, as a module', () => `${inModel('link.json')}?raw`],
    ['a link that lacks its ending', () => inModel('link')],
    ['a link to a folder', () => inModel('above/secret.json')],
    ['a file outside', () => new URL(fileAddress(serving.url, secret)).pathname],
    ['a way up', () => `${inModel('')}../secret.json`],
    ['a way up in disguise', () => `${inModel('')}%2e%2e/secret.json`],
    ['a way up from the project', () => `${base()}/..${secret}`],
    ['an id', () => `${base()}/@id/${secret}`],
    ['two slashes', () => `${base()}/@fs/${secret}`],
  ])('does not leave its folders by %s', async (_, path) => {
    const { status, body } = await ask(path());
    expect(body).not.toContain('secret"');
    expect([403, 404]).toContain(status);
  });

  it.each(['__open-in-editor', '__OPEN-in-editor', '%5f_open-in-editor'])(
    'starts no editor: %s',
    async (name) => {
      const answer = await ask(`${base()}/${name}?file=package.json`);
      expect(answer).toMatchObject({ status: 404, body: '' });
    },
  );
});

describe('files of another site, through the local server', () => {
  const address = (url: string): string => remoteAddress(serving.url, url);
  const bytes = Buffer.from('weights');

  it('come as bytes, whatever the site says they are', async () => {
    const url = site.serve('/weights.bin', bytes, { type: 'image/svg' });
    const answer = await fetch(address(url));
    expect(answer.headers.get('content-type')).toBe('application/octet-stream');
    expect(await answer.text()).toBe('weights');
  });

  it('are no pages and no scripts', async () => {
    for (const type of ['text/html', 'application/xhtml+xml', 'image/svg+xml', 'text/javascript']) {
      const url = site.serve('/page', Buffer.from('<script>steal()</script>'), { type });
      const answer = await fetch(address(url));
      expect(answer.status).toBe(415);
      expect(await answer.text()).toBe('');
    }
    const missing = await fetch(address(`${site.origin}/nowhere`));
    expect(missing.status).toBe(404);
    site.serve('/broken', bytes, { status: () => 500, retryAfter: '7' });
    const broken = await fetch(address(`${site.origin}/broken`));
    expect(broken.status).toBe(500);
    expect(broken.headers.get('retry-after')).toBe('7');
    expect(await broken.text()).toBe('');
  });

  it('are fetched from no other site, wherever it redirects to', async () => {
    const far = other.serve('/private', bytes);
    const near = site.serve('/near', bytes);
    const answer = await fetch(address(site.serve('/away', bytes, { redirect: far })));
    expect(answer.status).toBe(421);
    expect(answer.statusText).toContain(other.origin);
    expect(other.requests).toEqual([]);
    const followed = await fetch(address(site.serve('/moved', bytes, { redirect: near })));
    expect(await followed.text()).toBe('weights');
    const round = site.serve('/round', bytes, { redirect: '/round' });
    expect((await fetch(address(round))).status).toBe(421);
    expect((await fetch(remoteAddress(serving.url, far))).status).toBe(404);
  });
});

it('gives the demo the same address at each start, for the models that browsers keep', async () => {
  const paths: string[] = [];
  for (let start = 0; start < 2; start++) {
    let status = 0;
    const { code } = await runScript('cli/demo.ts', ['--port', '5273'], {
      onStart: (child) =>
        child.stdout?.on('data', async (text) => {
          const url = /http:\S+\/demo\//.exec(String(text))?.[0] ?? '';
          status = (await fetch(url)).status;
          paths.push(new URL(url).pathname);
          child.kill('SIGTERM');
        }),
    });
    expect({ code, status }).toEqual({ code: 0, status: 200 });
  }
  expect(paths[0]).toMatch(/^\/[0-9a-f]{32}\/demo\/$/);
  expect(paths[1]).toBe(paths[0]);
});
