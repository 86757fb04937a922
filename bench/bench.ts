import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { dirname, resolve } from 'node:path';
import { Command } from 'commander';
import { launchChrome } from '../cli/chrome';
import { projectRoot, serveProject } from '../cli/server';
import type { Measured } from './page';
import { comparePeers } from './peers/compare';
import { measureWeights } from './weights';

/** `npm run bench`: times kernels, a forward pass and an explanation in headless Chrome. */
const options = new Command()
  .name('npm run bench --')
  .description(
    'Times kernels, VGG-16 and the embedded model on the adapter headless Chrome offers.',
  )
  .option('--runs <n>', 'runs of each measurement, after one warm-up', '5')
  .option('--weights', 'instead, loads VGG-16 as f32, f16 and int8: time, memory, what it changes')
  .option('--channels <n>', 'with --weights: masked passes of VGG-16 to compare maps by', '8')
  .option('--ladder', 'instead, times 3x3 convolution and the fully connected layer rung by rung')
  .option(
    '--peers',
    'instead, runs VGG-16 by onnxruntime-web and TensorFlow.js too (takes minutes)',
  )
  .option('--out <file>', 'also write the figures to this JSON file')
  .parse()
  .opts<{
    runs: string;
    weights?: boolean;
    ladder?: boolean;
    peers?: boolean;
    channels: string;
    out?: string;
  }>();

const runs = Number(options.runs);
if (!Number.isInteger(runs) || runs < 1) {
  console.error(`--runs is "${options.runs}", must be a whole number of at least 1.`);
  process.exit(2);
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return ((sorted[Math.ceil(middle) - 1] as number) + (sorted[Math.floor(middle)] as number)) / 2;
}

function line({ name, runs: times, flop }: Measured): string {
  const mid = median(times);
  const spread = `${Math.min(...times).toFixed(1)} to ${Math.max(...times).toFixed(1)}`;
  const rate = flop === undefined ? '' : `${(flop / mid / 1e6).toFixed(2)} GFLOP/s`;
  return `${name.padEnd(52)}${mid.toFixed(1).padStart(10)} ms  (${spread})`.padEnd(90) + rate;
}

function machine(browserVersion: string): object {
  return { cpu: cpus()[0]?.model, cores: cpus().length, browser: browserVersion };
}

function write(figures: object): void {
  if (!options.out) return;
  const file = resolve(projectRoot, options.out);
  mkdirSync(dirname(file), { recursive: true });
  const date = new Date().toISOString().slice(0, 10);
  writeFileSync(file, `${JSON.stringify({ date, ...figures }, null, 2)}\n`);
  console.log(`Written to ${options.out}`);
}

async function timeKernels(): Promise<void> {
  const { url, server } = await serveProject();
  const browser = await launchChrome();
  try {
    const page = await browser.newPage();
    const results: Measured[] = [];
    await page.exposeFunction('report', (result: Measured) => {
      results.push(result);
      console.log(line(result));
    });
    await page.goto(`${url}/bench/page.html`);
    await page.waitForFunction('window.bench !== undefined');
    const browserVersion = await browser.version();
    console.log(
      `${browserVersion}, ${cpus().length} x ${cpus()[0]?.model}, median of ${runs} (spread)\n`,
    );
    const adapter = await page.evaluate((given) => window.bench(given), {
      runs,
      ladder: options.ladder ?? false,
      embedded: `${url}/weights/scenes-vgg16/manifest.json`,
      image: `${url}/weights/scenes-vgg16/sample.png`,
    });
    console.log(`\nAdapter: ${JSON.stringify(adapter)}`);
    write({ adapter, machine: machine(browserVersion), results });
  } finally {
    await browser.close();
    await server.close();
  }
}

if (options.weights) {
  const channels = Number(options.channels);
  if (!Number.isInteger(channels) || channels < 1) {
    console.error(`--channels is "${options.channels}", must be a whole number of at least 1.`);
    process.exit(2);
  }
  const { browserVersion, adapter, results } = await measureWeights(channels);
  write({ adapter, machine: machine(browserVersion), channels, results });
} else if (options.peers) {
  const { peers, agree } = await comparePeers(runs);
  write({ adapter: peers.contenders[0]?.adapter, machine: machine(peers.browser), peers });
  if (!agree) process.exitCode = 1;
} else {
  await timeKernels();
}
