import { median } from '../../cli/median';
import { today } from '../../cli/words';
import { processors } from '../machine';
import { writeJson } from '../write';
import { contenderName } from './contender-name';
import { measureNetworks, measurePeers, type PeerOptions } from './measure';
import type { PeerResult, PeerResults } from './types';

/**
 * Measures the peers, prints them, and writes them to a file, from which `--from` takes them into a report.
 * @returns whether all of them agree with ours
 */
export async function benchPeers(runs: number, out: string | undefined): Promise<boolean> {
  const peers = await measurePeers({ runs, ...printer(runs) });
  return finish([peers], { peers }, out);
}

/** The same of networks with branches and depthwise convolutions, and how long an explanation by one takes. */
export async function benchNetworks(runs: number, out: string | undefined): Promise<boolean> {
  const results = await measureNetworks({ runs, ...printer(runs) });
  const { model, targetLayer, passes, runs: times, warmUp } = results.explanation;
  console.log(
    `\nScore-CAM by ${model}, all channels of ${targetLayer}, ${passes} passes: ` +
      `${seconds(median(times))} s (${times.map(seconds).join(', ')}), the first ${seconds(warmUp)} s`,
  );
  return finish(results.networks, results, out);
}

const seconds = (ms: number): string => (ms / 1000).toFixed(2);

/** Steps that are told; all are in the file. */
const LONGEST = 6;

/** Progress to stderr, figures to stdout, a line each. */
function printer(runs: number): Pick<PeerOptions, 'onStep' | 'onNetwork' | 'onResult' | 'onSteps'> {
  const { cpu, cores } = processors();
  let ours: PeerResult | undefined;
  return {
    onStep: (what) => console.error(what),
    onNetwork: ({ model, flop }) => {
      ours = undefined;
      console.log(
        `\n${model}, ${(flop / 1e9).toFixed(2)} GFLOP, one image, f32, on ${cores} x ${cpu}: median of ` +
          `${runs} passes after a warm-up (spread), time as a multiple of ours, largest difference of a logit\n`,
      );
    },
    onResult: (result) => {
      ours ??= result;
      console.log(peerLine(result, ours));
    },
    onSteps: (steps) => {
      const times = steps.map(({ name, runs: each }) => ({ name, ms: median(each) }));
      const total = times.reduce((sum, { ms }) => sum + ms, 0);
      const longest = times.sort((a, b) => b.ms - a.ms).slice(0, LONGEST);
      const said = longest.map(({ name, ms }) => `${name} ${ms.toFixed(1)} ms`).join(', ');
      if (total > 0) console.log(`\nOurs on the GPU: ${total.toFixed(1)} ms; ${said}`);
    },
  };
}

/** What all of it says about the comparison, and the file. */
function finish(
  compared: readonly PeerResults[],
  figures: object,
  out: string | undefined,
): boolean {
  const [first] = compared as [PeerResults];
  const adapters = new Set(compared.flatMap(adaptersOf));
  console.log(`\n${first.browser}, adapters of WebGPU: ${[...adapters].join('; ')}`);
  const wrong = compared.flatMap(disagreements);
  for (const line of wrong) console.error(line);
  if (out !== undefined) {
    const machine = { ...processors(), browser: first.browser };
    const { adapter } = first.contenders[0] ?? {};
    writeJson(out, { date: today(), adapter, machine, ...figures });
    console.log(`Written to ${out}`);
  }
  return wrong.length === 0;
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
