import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'puppeteer';
import { messageOf } from '../../cli/error-text';
import { launchChrome } from '../../cli/hosts/chrome';
import { openServed } from '../../cli/served';
import { projectRoot } from '../../cli/server';
import { duration } from '../../cli/words';
import { installPackages } from '../../scripts/main.mjs';
import { layerFlops } from '../../src/model/network';
import { seededVgg } from '../../src/model/seeded-vgg';
import type { Passes } from './page';
import { CONTENDERS, type Contender, type PeerResult, type PeerResults } from './types';

/**
 * Sixteen layers summed in f32 in different orders: each sum of K products errs by about sqrt(K) u of their
 * size, u = 2^-24, which for fc1's K = 25088 is 1e-5; sixteen times that, rounded down.
 */
const TOLERANCE = 1e-4;

export interface PeerOptions {
  /** Runs of each contender after its warm-up; fewer where a pass takes long. */
  readonly runs: number;
  /** Hears what is going on, in a line. */
  onStep?(what: string): void;
  /** Hears each result as it comes. */
  onResult?(result: PeerResult): void;
}

/**
 * One forward pass of the seeded full-size VGG-16 on one image by each contender, in one headless Chrome, one
 * after the other, each in a page of its own. Installs the contenders' packages first. A peer that fails is a
 * result too.
 * @throws Error if score-cam-webgpu itself fails: there is nothing to compare with then.
 */
export async function measurePeers({
  runs,
  onStep = () => {},
  onResult = () => {},
}: PeerOptions): Promise<PeerResults> {
  await installPackages('bench', 'what to compare with');
  const { url, launched: browser, close } = await openServed(launchChrome, [], { isolated: true });
  try {
    const contenders: PeerResult[] = [];
    let ours: readonly number[] = [];
    for (const contender of CONTENDERS) {
      const said = `${contender.name} (${contender.backend})`;
      const run = { url, runs, onStep: (what: string) => onStep(`${said}: ${what}`) };
      const { result, logits } = await measureOne(browser, contender, run);
      if (contenders.length === 0) {
        if (result.error) throw new Error(`${said} failed: ${result.error}`);
        ours = logits;
      }
      const compared = result.error ? result : compare(result, logits, ours);
      contenders.push(compared);
      onResult(compared);
    }
    const { network } = seededVgg(16, 1);
    return {
      browser: await browser.version(),
      model: network.name,
      batch: 1,
      dtype: 'f32',
      flop: network.layers.reduce((sum, layer) => sum + layerFlops(layer), 0),
      tolerance: TOLERANCE,
      contenders,
    };
  } finally {
    await close();
  }
}

interface Run {
  readonly url: string;
  readonly runs: number;
  onStep(what: string): void;
}

async function measureOne(
  browser: Browser,
  contender: Contender,
  { url, runs, onStep }: Run,
): Promise<{ result: PeerResult; logits: readonly number[] }> {
  const { name, backend } = contender;
  const facts = { name, backend, version: versionOf(contender) };
  const page = await browser.newPage();
  // A pass may take minutes, in which nothing else would be heard.
  let clock: NodeJS.Timeout | undefined;
  const begin = (step: string): void => {
    clearInterval(clock);
    const since = Date.now();
    onStep(step);
    clock = setInterval(() => onStep(`${step}, ${duration((Date.now() - since) / 1000)}`), 15_000);
  };
  try {
    const crashed = new Promise<never>((_, reject) => {
      page.on('error', () => reject(new Error('The page crashed: too little memory?')));
      browser.on('disconnected', () => reject(new Error('Chrome ended unexpectedly.')));
    });
    crashed.catch(() => {});
    await page.exposeFunction('onPeerStep', begin);
    await page.goto(`${url}/bench/peers/page.html`, { timeout: 0 });
    await page.waitForFunction('window.measurePasses !== undefined', { timeout: 120_000 });
    const image = `${url}/weights/scenes-vgg16/sample.png`;
    const passes: Passes = await Promise.race([
      page.evaluate((options) => window.measurePasses(options), { name, backend, runs, image }),
      crashed,
    ]);
    const { logits, ...measured } = passes;
    return { result: { ...facts, ...measured, relativeDifference: null }, logits };
  } catch (error) {
    const message = messageOf(error).slice(0, 2000);
    const failed = { adapter: null, warmUp: null, runs: [], relativeDifference: null };
    return { result: { ...facts, ...failed, error: message }, logits: [] };
  } finally {
    clearInterval(clock);
    await page.close().catch(() => {});
  }
}

function versionOf(contender: Contender): string {
  const folder = contender.package ? join('bench/node_modules', contender.package) : '.';
  const text = readFileSync(join(projectRoot, folder, 'package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

function compare(
  result: PeerResult,
  logits: readonly number[],
  ours: readonly number[],
): PeerResult {
  const difference = relativeDifference(logits, ours);
  if (Number.isFinite(difference)) return { ...result, relativeDifference: difference };
  const example = logits.find((logit) => !Number.isFinite(logit));
  return {
    ...result,
    error: `${logits.length} logits for ${ours.length}, or not finite: ${example}`,
  };
}

/** Largest |a - b| as a share of the largest |b|; not finite if the two cannot be compared. */
export function relativeDifference(a: readonly number[], b: readonly number[]): number {
  if (a.length !== b.length) return Number.NaN;
  const largest = Math.max(...b.map(Math.abs));
  return Math.max(...a.map((value, i) => Math.abs(value - (b[i] as number)))) / largest;
}
