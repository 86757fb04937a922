import { launchChrome } from '/work/tune/cli/hosts/chrome';
import { openServed } from '/work/tune/cli/served';
const [name, count, runs, top] = process.argv.slice(2);
const { url, launched: browser, close } = await openServed(() => launchChrome({ handleSignals: false }));
try {
  const page = await browser.newPage();
  page.on('console', (m: any) => console.error(m.text())); page.on('pageerror', (e: any) => console.error(e));
  await page.goto(`${url}/bench/prof.html`);
  await page.waitForFunction('window.prof !== undefined');
  const lines = await page.evaluate((a: any, b: any, c: any) => (window as any).prof(a, b, c), name, +count, +runs) as string[];
  console.log(lines.slice(0, +(top ?? 40)).join('\n'));
} finally { await close(); }
