import { launchChrome } from '../../cli/chrome';
import { serveProject } from '../../cli/server';
const { url, server } = await serveProject();
const browser = await launchChrome();
const page = await browser.newPage();
page.on('pageerror', (e) => console.log('ERR', e)); page.on('console', (m) => m.type() === 'error' && console.log(m.text()));
await page.goto(`${url}/bench/scratch_/page.html`);
await page.waitForFunction('window.go !== undefined');
for (const [c, o, t] of [[256, 256, 208], [64, 64, 1024], [512, 512, 64]] as const) {
  const r: any = await page.evaluate((a, b, d) => (window as any).go(a, b, d, 5), c, o, t);
  console.log(c, o, t); for (const [k, x] of Object.entries(r) as any) console.log('  ', k.padEnd(6), JSON.stringify(x), ((2 * 36 * c * o * t) / Math.min(...x.ms) / 1e6).toFixed(2), 'GFLOP/s');
}
await browser.close(); await server.close();
