import { launchChrome } from '../cli/hosts/chrome';
import { openServed } from '../cli/served';
import { benchFile, processors } from './machine';
import type { BenchOptions } from './options';
import { display } from './show';
import { writeResults } from './write';

/** Measures in headless Chrome and writes results and report. */
export async function benchInChrome(
  { runs, ladder, stated, out, report }: BenchOptions & { readonly out: string },
  signal: AbortSignal,
): Promise<void> {
  const launch = () => launchChrome({ handleSignals: false });
  const { url, launched: browser, close } = await openServed(launch);
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
    const { cpu, cores } = processors();
    console.error(`${runtime}, ${cores} x ${cpu}`);
    const measured = await page.evaluate((given) => window.bench(given), { runs, ladder });
    writeResults(benchFile(measured, runtime, stated), out, report);
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener('abort', end);
    await close();
  }
}
