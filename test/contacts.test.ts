/** Whom the commands' Chrome contacts, by its own log of the network: nobody but this machine. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, inject, it } from 'vitest';
import { launchChrome } from '../cli/hosts/chrome';

/** As chrome://net-export writes it. */
interface NetLog {
  readonly constants: { readonly logEventTypes: Readonly<Record<string, number>> };
  readonly events: readonly {
    readonly type: number;
    readonly params?: { readonly address?: string; readonly url?: string };
  }[];
}

const folder = mkdtempSync(join(tmpdir(), 'score-cam-contacts-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('contacts nobody, whatever a page or Chrome itself asks for, and asks for no name', async () => {
  const file = join(folder, 'net.json');
  const browser = await launchChrome({ args: [`--log-net-log=${file}`] });
  const far = ['http://example.com/far', 'https://example.org/far', 'http://192.0.2.1/far'];
  try {
    const page = await browser.newPage();
    await page.goto(`${inject('baseUrl')}/test/harness/page.html`, { timeout: 0 });
    const answers = await page.evaluate(
      (urls) =>
        Promise.all(
          urls.map((url) =>
            fetch(url).then(
              () => 'answered',
              () => 'failed',
            ),
          ),
        ),
      far,
    );
    expect(answers).toEqual(far.map(() => 'failed'));
  } finally {
    await browser.close();
  }
  const { constants, events } = JSON.parse(readFileSync(file, 'utf8')) as NetLog;
  const of = (name: string): NetLog['events'] => {
    const type = constants.logEventTypes[name];
    expect(type, name).toBeDefined();
    return events.filter((event) => event.type === type);
  };
  // It does log what is asked for.
  const asked = of('URL_REQUEST_START_JOB').map(({ params }) => params?.url);
  expect(asked).toEqual(expect.arrayContaining(far));
  const connected = of('TCP_CONNECT_ATTEMPT').flatMap(({ params }) => params?.address ?? []);
  expect(connected.length).toBeGreaterThan(0);
  expect(connected.filter((address) => !address.startsWith('127.0.0.1:'))).toEqual([]);
  for (const task of ['HOST_RESOLVER_SYSTEM_TASK', 'HOST_RESOLVER_DNS_TASK', 'UDP_BYTES_SENT']) {
    expect(of(task), task).toEqual([]);
  }
});
