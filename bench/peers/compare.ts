import { median } from '../../cli/median';
import { today } from '../../cli/words';
import { processors } from '../machine';
import { writeJson } from '../write';
import { contenderName } from './contender-name';
import { measurePeers } from './measure';
import type { PeerResult, PeerResults } from './types';

/**
 * Measures the peers, prints them, and writes them to a file, from which `--from` takes them into a report.
 * @returns whether all of them agree with ours
 */
export async function benchPeers(runs: number, out: string | undefined): Promise<boolean> {
  const { peers, agree } = await comparePeers(runs);
  if (out !== undefined) {
    const machine = { ...processors(), browser: peers.browser };
    const { adapter } = peers.contenders[0] ?? {};
    writeJson(out, { date: today(), adapter, machine, peers });
    console.log(`Written to ${out}`);
  }
  return agree;
}

/** Measures the peers and prints a line each: progress to stderr, figures to stdout. */
async function comparePeers(runs: number): Promise<{ peers: PeerResults; agree: boolean }> {
  const { cpu, cores } = processors();
  console.log(
    `VGG-16, seeded weights, one image, f32, on ${cores} x ${cpu}: median of ` +
      `${runs} passes after a warm-up (spread), time as a multiple of ours, largest difference of a logit\n`,
  );
  let ours: PeerResult | undefined;
  const peers = await measurePeers({
    runs,
    onStep: (what) => console.error(what),
    onResult: (result) => {
      ours ??= result;
      console.log(peerLine(result, ours));
    },
  });
  console.log(`\n${peers.browser}, adapters of WebGPU: ${adaptersOf(peers).join('; ')}`);
  const wrong = disagreements(peers);
  for (const line of wrong) console.error(line);
  return { peers, agree: wrong.length === 0 };
}

/** One contender's figures beside ours, or why there are none. */
export function peerLine(result: PeerResult, ours: PeerResult): string {
  const { runs, relativeDifference, note, error } = result;
  const name = contenderName(result).padEnd(46);
  if (error !== undefined) return `${name}no figures: ${error}`;
  const spread = `(${Math.min(...runs).toFixed(1)} to ${Math.max(...runs).toFixed(1)})`;
  const time = `${median(runs).toFixed(1).padStart(10)} ms  ${spread.padEnd(24)}`;
  const ratio = `${(median(runs) / median(ours.runs)).toFixed(2).padStart(7)} x`;
  const difference = result === ours ? '' : `   ${relativeDifference?.toExponential(1)}`;
  return `${name}${time}${ratio}${difference}${note ? `   ${note}` : ''}`;
}

/** What makes the comparison void: other logits than ours, or another adapter. One sentence each. */
export function disagreements({ contenders, tolerance }: PeerResults): string[] {
  const [ours] = contenders;
  return contenders.flatMap((result) => {
    const { relativeDifference: difference, backend, adapter, error } = result;
    if (error !== undefined) return [];
    const sentences: string[] = [];
    if (!(difference !== null && difference <= tolerance)) {
      sentences.push(
        `${contenderName(result)} does not compute the same: its logits are up to ${difference} of the largest ` +
          `logit from ours, more than ${tolerance}.`,
      );
    }
    if (backend === 'webgpu' && JSON.stringify(adapter) !== JSON.stringify(ours?.adapter)) {
      sentences.push(
        `${contenderName(result)} ran on another adapter: ${JSON.stringify(adapter)}, ours is ` +
          `${JSON.stringify(ours?.adapter)}.`,
      );
    }
    return sentences;
  });
}

function adaptersOf({ contenders }: PeerResults): string[] {
  const adapters = contenders.filter(({ adapter }) => adapter !== null);
  return [...new Set(adapters.map(({ adapter }) => JSON.stringify(adapter)))];
}
