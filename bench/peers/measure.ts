import { launchChrome } from '../../cli/hosts/chrome';
import { openServed } from '../../cli/served';
import { installPackages } from '../../scripts/main.mjs';
import { layerFlops } from '../../src/model/network';
import { networkOf } from '../../src/model/network-of';
import { Entrant, type Place } from './entrant';
import { NETWORKS, seededModel, VGG } from './models';
import {
  CONTENDERS,
  type ExplanationTime,
  type NetworkResults,
  type PeerResult,
  type PeerResults,
  type StepTime,
} from './types';

/**
 * Of VGG-16: sixteen layers summed in f32 in different orders: each sum of K products errs by about sqrt(K) u of their
 * size, u = 2^-24, which for fc1's K = 25088 is 1e-5; sixteen times that, rounded down. The others have more layers of far
 * shorter sums.
 */
const TOLERANCE = 1e-4;

export interface PeerOptions {
  /** Runs of each contender after its warm-up; fewer where a pass takes long. */
  readonly runs: number;
  /** Hears what is going on, in a line. */
  onStep?(what: string): void;
  /** Hears of a network when its contenders begin. */
  onNetwork?(facts: Omit<PeerResults, 'contenders'>): void;
  /** Hears each result as it comes, ours first. */
  onResult?(result: PeerResult): void;
  /** Hears how long each step of ours takes. */
  onSteps?(steps: readonly StepTime[]): void;
}

/**
 * One forward pass of the seeded full-size VGG-16 on one image by each contender, in one headless Chrome, one
 * after the other, each in a page of its own. Installs the contenders' packages first. A peer that fails is a
 * result too.
 * @throws Error if score-cam-webgpu itself fails: there is nothing to compare with then.
 */
export async function measurePeers(options: PeerOptions): Promise<PeerResults> {
  return withChrome(options, async (place) => {
    const facts = await factsOf(VGG, place);
    options.onNetwork?.(facts);
    const contenders: PeerResult[] = [];
    let ours: readonly number[] | undefined;
    for (const contender of CONTENDERS) {
      // 553 MB at a time.
      const entrant = new Entrant(contender, VGG, place);
      try {
        await entrant.prepare();
        for (let i = 1; i <= options.runs; i++) await entrant.run(i, options.runs);
      } finally {
        await entrant.close();
      }
      contenders.push(resultOf(entrant, ours, options));
      ours ??= entrant.logits;
    }
    return { ...facts, contenders };
  });
}

/**
 * One forward pass of each of NETWORKS by each contender, all of them in pages side by side: pass after pass in turn, so that a
 * busy machine disturbs them alike. Then explanations by the first network.
 * @throws Error as {@link measurePeers}
 */
export async function measureNetworks(
  options: PeerOptions,
  names: readonly string[] = NETWORKS,
): Promise<NetworkResults> {
  return withChrome(options, async (place) => {
    const networks: NetworkResults['networks'][number][] = [];
    let explanation: ExplanationTime | undefined;
    for (const name of names) {
      const facts = await factsOf(name, place);
      options.onNetwork?.(facts);
      const entrants = CONTENDERS.map((contender) => new Entrant(contender, name, place));
      const [own] = entrants as [Entrant, ...Entrant[]];
      try {
        for (const entrant of entrants) await entrant.prepare();
        for (let i = 1; i <= options.runs; i++) {
          for (const entrant of entrants) await entrant.run(i, options.runs);
        }
        const contenders = entrants.map((entrant) =>
          resultOf(entrant, entrant === own ? undefined : own.logits, options),
        );
        // The others' memory is given back first.
        for (const entrant of entrants) if (entrant !== own) await entrant.close();
        const steps = await own.profile(options.runs);
        options.onSteps?.(steps);
        networks.push({ ...facts, contenders, steps });
        explanation ??= await own.explain(Math.min(options.runs, MOST_EXPLANATIONS));
      } finally {
        await Promise.all(entrants.map((entrant) => entrant.close()));
      }
    }
    if (!explanation) throw new Error('No network was given.');
    return { networks, explanation };
  });
}

const MOST_EXPLANATIONS = 3;

async function withChrome<T>(
  { onStep = () => {} }: PeerOptions,
  work: (place: Place) => Promise<T>,
): Promise<T> {
  await installPackages('bench', 'what to compare with');
  const { url, launched: browser, close } = await openServed(launchChrome, [], { isolated: true });
  try {
    return await work({ browser, url, onStep });
  } finally {
    await close();
  }
}

async function factsOf(name: string, place: Place): Promise<Omit<PeerResults, 'contenders'>> {
  const { layers } = await networkOf(seededModel(name));
  return {
    browser: await place.browser.version(),
    model: name,
    batch: 1,
    dtype: 'f32',
    flop: layers.reduce((sum, layer) => sum + layerFlops(layer), 0),
    tolerance: TOLERANCE,
  };
}

function resultOf(
  entrant: Entrant,
  ours: readonly number[] | undefined,
  { onResult }: PeerOptions,
): PeerResult {
  const result = entrant.result(ours);
  if (!ours && result.error) throw new Error(`score-cam-webgpu failed: ${result.error}`);
  onResult?.(result);
  return result;
}
