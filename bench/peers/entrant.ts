import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'puppeteer';
import { messageOf } from '../../cli/error-text';
import { projectRoot } from '../../cli/server';
import { duration } from '../../cli/words';
import type { Loaded, Pass, PeerTask } from './page';
import type { Contender, ExplanationTime, PeerResult, StepTime } from './types';

/** A pass that takes longer than this is not repeated. */
const SLOW_SECONDS = 20;

export interface Place {
  readonly browser: Browser;
  /** Of the project's server. */
  readonly url: string;
  /** Hears what is going on, in a line. */
  onStep(what: string): void;
}

/** A contender in a page of its own. What fails is its result, and the others go on. */
export class Entrant {
  /** Of the last pass. */
  logits: readonly number[] = [];
  /** Why it takes no further part. */
  error: string | undefined;
  private readonly contender: Contender;
  private readonly task: PeerTask;
  private readonly place: Place;
  private page: Page | undefined;
  private loaded: Loaded = {};
  private adapter: Pass['adapter'] = null;
  private warmUp: number | null = null;
  private readonly runs: number[] = [];
  private note: string | undefined;

  constructor(contender: Contender, model: string, place: Place) {
    const { name, backend } = contender;
    const image = `${place.url}/weights/scenes-vgg16/sample.png`;
    this.contender = contender;
    this.task = { name, backend, model, image };
    this.place = place;
  }

  /** Opens the page, loads the network, and runs a pass that compiles and uploads. */
  async prepare(): Promise<void> {
    await this.step('loading', async (page) => {
      await page.goto(`${this.place.url}/bench/peers/page.html`, { timeout: 0 });
      await page.waitForFunction('window.peer !== undefined', { timeout: 120_000, polling: 100 });
      this.loaded = await page.evaluate((task) => window.peer.load(task), this.task);
    });
    this.warmUp = await this.pass('warming up');
  }

  /** Run `number` of `count`, unless the one before took too long. */
  async run(number: number, count: number): Promise<void> {
    if ((this.runs.at(-1) ?? 0) > 1000 * SLOW_SECONDS) {
      this.note = `runs: ${this.runs.length} instead of ${count}, as one took over ${SLOW_SECONDS} s`;
      return;
    }
    const ms = await this.pass(`run ${number} of ${count}`);
    if (ms !== null) this.runs.push(ms);
  }

  /** Explanations by the same network; ours alone makes them. */
  explain(runs: number): Promise<ExplanationTime> {
    return this.more('explaining', (page) =>
      page.evaluate((...args) => window.peer.explain(...args), this.task, runs),
    );
  }

  /** The steps of a forward pass, each by itself; of ours alone. */
  profile(runs: number): Promise<readonly StepTime[]> {
    return this.more('step by step', (page) =>
      page.evaluate((...args) => window.peer.profile(...args), this.task, runs),
    );
  }

  /** @param ours logits to compare with; none for ours themselves */
  result(ours: readonly number[] | undefined): PeerResult {
    const { adapter, warmUp, runs, logits } = this;
    const { threads, wanted = 0 } = this.loaded;
    const difference = relativeDifference(logits, ours ?? logits);
    if (!Number.isFinite(difference)) {
      const example = logits.find((logit) => !Number.isFinite(logit));
      this.error ??= `${logits.length} logits for ${ours?.length}, or not finite: ${example}`;
    }
    const { name, backend } = this.contender;
    const facts = { name, backend, version: versionOf(this.contender) };
    if (this.error !== undefined) {
      const none = { adapter: null, warmUp: null, runs: [], relativeDifference: null };
      return { ...facts, ...none, error: this.error };
    }
    const notes = [
      threads && threads < wanted ? `asked for ${wanted} threads, runs ${threads}` : [],
      this.note ?? [],
    ].flat();
    return {
      ...facts,
      adapter,
      ...(threads === undefined ? {} : { threads }),
      warmUp,
      runs,
      relativeDifference: difference,
      ...(notes.length > 0 ? { note: notes.join('; ') } : {}),
    };
  }

  async close(): Promise<void> {
    await this.page?.close().catch(() => {});
  }

  private async pass(what: string): Promise<number | null> {
    let ms: number | null = null;
    await this.step(what, async (page) => {
      const pass = await page.evaluate(() => window.peer.pass());
      this.logits = pass.logits;
      this.adapter = pass.adapter;
      ms = pass.ms;
    });
    return ms;
  }

  /** @throws Error if it fails */
  private async more<T>(what: string, work: (page: Page) => Promise<T>): Promise<T> {
    const found: T[] = [];
    await this.step(what, async (page) => {
      found.push(await work(page));
    });
    if (this.error !== undefined) throw new Error(`score-cam-webgpu failed: ${this.error}`);
    return found[0] as T;
  }

  /** Does something in the page, unless something has failed already. */
  private async step(what: string, work: (page: Page) => Promise<void>): Promise<void> {
    if (this.error !== undefined) return;
    const { browser } = this.place;
    const { name, backend } = this.contender;
    const say = (since: string): void =>
      this.place.onStep(`${name} (${backend}), ${this.task.model}: ${what}${since}`);
    const start = Date.now();
    say('');
    // It may take minutes, in which nothing else would be heard.
    const clock = setInterval(() => say(`, ${duration((Date.now() - start) / 1000)}`), 15_000);
    let fail: (reason: Error) => void = () => {};
    const failed = new Promise<never>((_, reject) => {
      fail = reject;
    });
    const ended = (): void => fail(new Error('Chrome ended unexpectedly.'));
    const crashed = (): void => fail(new Error('The page crashed: too little memory?'));
    browser.on('disconnected', ended);
    try {
      this.page ??= await browser.newPage();
      this.page.on('error', crashed);
      await Promise.race([work(this.page), failed]);
    } catch (error) {
      this.error = messageOf(error).slice(0, 2000);
    } finally {
      clearInterval(clock);
      browser.off('disconnected', ended);
      this.page?.off('error', crashed);
    }
  }
}

function versionOf(contender: Contender): string {
  const folder = contender.package ? join('bench/node_modules', contender.package) : '.';
  const text = readFileSync(join(projectRoot, folder, 'package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

/** Largest |a - b| as a share of the largest |b|; not finite if the two cannot be compared. */
export function relativeDifference(a: readonly number[], b: readonly number[]): number {
  if (a.length !== b.length) return Number.NaN;
  const largest = Math.max(...b.map(Math.abs));
  return Math.max(...a.map((value, i) => Math.abs(value - (b[i] as number)))) / largest;
}
