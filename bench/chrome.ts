import { cpus } from 'node:os';
import { launchChrome } from '../cli/chrome';
import { serveProject } from '../cli/server';
import { FORMAT } from './measure/types';
import type { BenchOptions } from './options';
import { display } from './show';
import { writeResults } from './write';

/** Measures in headless Chrome and writes results and report. */
export async function benchInChrome(
  { runs, ladder, stated, out, report }: BenchOptions & { readonly out: string },
  signal: AbortSignal,
): Promise<void> {
  const { url, server } = await serveProject();
  const browser = await launchChrome({ handleSignals: false });
  const end = () => void browser.close();
  signal.addEventListener('abort', end);
  try {
    const page = await browser.newPage();
    const { onProgress, onResult } = display();
    await page.exposeFunction('benchProgress', onProgress);
    await page.exposeFunction('benchResult', onResult);
    await page.goto(`${url}/bench/page.html`);
    await page.waitForFunction('window.bench !== undefined');
    const runtime = await browser.version();
    console.error(`${runtime}, ${cpus().length} x ${cpus()[0]?.model}`);
    const measured = await page.evaluate((given) => window.bench(given), { runs, ladder });
    const file = {
      format: FORMAT,
      date: new Date().toISOString().slice(0, 10),
      machine: {
        cpu: cpus()[0]?.model ?? 'unknown',
        cores: cpus().length,
        runtime,
        platform: `${process.platform} ${process.arch}`,
      },
      ...(Object.keys(stated).length > 0 ? { stated } : {}),
      ...measured,
    };
    writeResults({ ...file, format: FORMAT }, out, report);
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener('abort', end);
    await browser.close();
    await server.close();
  }
}
