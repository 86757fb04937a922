/*
 * What stands in a kernel's hot loop, read from the disassembly that Mesa's RADV gives: LLVM's syntax of AMD's
 * instructions, with labels `BB7:` where branches go.
 */

/** What an instruction keeps busy. `control` waits, branches or hints, and computes nothing. */
export type Kind = 'multiply' | 'vector' | 'lds' | 'memory' | 'scalar' | 'control';

export const KINDS: readonly Kind[] = ['multiply', 'vector', 'lds', 'memory', 'scalar', 'control'];

export interface HotLoop {
  /** Instructions of a round, by kind, those of loops in it included. */
  readonly counts: Readonly<Record<Kind, number>>;
  readonly instructions: number;
  /** Multiply-adds of a lane in a round. */
  readonly multiplyAdds: number;
  /** Multiply-adds an instruction: the share of the peak that is left, where each counts as one issued. */
  readonly share: number;
  /** Bytes a lane reads and writes for a multiply-add: of workgroup memory, and of buffers. */
  readonly ldsBytes: number;
  readonly memoryBytes: number;
  readonly text: string;
}

interface Instruction {
  readonly name: string;
  readonly text: string;
  readonly block: number;
  /** Of a branch: the block that it goes to. */
  readonly target: number | undefined;
}

/** @param text the representation `Assembly` of VK_KHR_pipeline_executable_properties */
function instructionsOf(text: string): Instruction[] {
  const found: Instruction[] = [];
  let block = 0;
  for (const line of text.split('\n')) {
    const label = /^BB(\d+):/.exec(line);
    if (label) block = Number(label[1]);
    // What the program ends with, constants among it, is not run.
    const code = /^\s+([a-z]\w+)(.*?)\s*(;|$)/.exec(line);
    if (!code) continue;
    const [, name = '', rest = ''] = code;
    const target = /^s_c?branch/.test(name) ? /\bBB(\d+)\b/.exec(rest)?.[1] : undefined;
    const at = target === undefined ? undefined : Number(target);
    found.push({ name, text: `${name}${rest}`, block, target: at });
  }
  return found;
}

/** Multiply-adds of a lane in one instruction. */
export function multiplyAddsOf(text: string): number {
  const halves = text.split('::');
  if (halves.length > 1) return halves.reduce((sum, half) => sum + multiplyAddsOf(half), 0);
  const name = text.trim().split(/\s/)[0] as string;
  if (/^v_(pk_fma|dot2)/.test(name)) return 2;
  // A matrix of 16x16x16 by the 64 lanes of a wave as RADV compiles compute shaders.
  if (/^v_wmma/.test(name)) return 64;
  return /^v_(dual_)?(fma|fmac|fmaak|fmamk|mad|mac)_(f32|f16|mix|legacy)/.test(name) ||
    /^v_(dual_)?(fmaak|fmamk)/.test(name)
    ? 1
    : 0;
}

export function kindOf({ name, text }: Pick<Instruction, 'name' | 'text'>): Kind {
  if (name.startsWith('v_')) return multiplyAddsOf(text) > 0 ? 'multiply' : 'vector';
  if (name.startsWith('ds_')) return 'lds';
  if (/^(global|buffer|flat|scratch|image|tbuffer)_/.test(name)) return 'memory';
  const waits =
    /^s_(waitcnt|wait_|nop|branch|cbranch|barrier|delay_alu|clause|inst_prefetch|setprio|endpgm|set_inst_prefetch)/;
  return waits.test(name) ? 'control' : 'scalar';
}

/** Bytes of a lane that an access to workgroup memory or to a buffer reads or writes. */
export function bytesOf(name: string): number {
  const pair = /(?:read2|write2|2addr)(?:_?(?:st)?64)?_(?:stride64_)?b(32|64)/.exec(name);
  if (pair) return Number(pair[1]) / 4;
  const bits = /_[bui](8|16|32|64|96|128)\b/.exec(name);
  if (bits) return Number(bits[1]) / 8;
  const words = /_dword(?:x(\d))?/.exec(name);
  if (words) return 4 * Number(words[1] ?? 1);
  if (/_(short|ushort|sshort)|d16/.test(name)) return 2;
  return /_[us]?byte/.test(name) ? 1 : 4;
}

/** Instructions from .. to - 1 of a program. */
interface Range {
  readonly from: number;
  readonly to: number;
}

/** An instruction, and how often it is run in a round. */
type Weighted = readonly [instruction: Instruction, times: number];

/**
 * The outermost loop with the most multiply-adds in a round, where loops in it are run as often as their constant bounds
 * say, or once if they multiply nothing; without any loop that multiplies, the whole program.
 * @returns undefined for a program that multiplies nowhere
 */
export function hotLoopOf(assembly: string): HotLoop | undefined {
  const all = instructionsOf(assembly);
  const start = (block: number): number => all.findIndex((one) => one.block >= block);
  const ends = new Map<number, number>();
  all.forEach(({ target, block }, i) => {
    if (target !== undefined && target <= block) ends.set(start(target), i + 1);
  });
  const loops = [...ends].map(([from, to]): Range => ({ from, to }));
  const contains = (outer: Range, { from, to }: Range): boolean =>
    outer.from <= from && to <= outer.to && to - from < outer.to - outer.from;
  const round = (loop: Range): Weighted[] => {
    const within = loops.filter((own) => contains(loop, own));
    const inner = within.filter((own) => !within.some((other) => contains(other, own)));
    const own = all
      .slice(loop.from, loop.to)
      .filter((_, i) => !inner.some(({ from, to }) => loop.from + i >= from && loop.from + i < to));
    return [
      ...own.map((one): Weighted => [one, 1]),
      ...inner.flatMap((one) => {
        const body = round(one);
        // Nobody knows what one counts that multiplies and goes on until a variable says.
        const times = roundsOf(all.slice(one.from, one.to)) ?? (work(body) > 0 ? 0 : 1);
        return body.map(([own, each]): Weighted => [own, times * each]);
      }),
    ];
  };
  const program: Range = { from: 0, to: all.length };
  const hot = loops
    .sort((a, b) => b.to - b.from - (a.to - a.from))
    .map((range) => ({ range, body: round(range) }))
    .reduce<{ range: Range; body: Weighted[] }>(
      (most, one) => (work(one.body) > work(most.body) ? one : most),
      { range: program, body: [] },
    );
  const { range, body } =
    work(hot.body) > 0 ? hot : { range: program, body: all.map((one): Weighted => [one, 1]) };
  const multiplied = work(body);
  if (multiplied === 0) return undefined;
  const of = (kind: Kind): Weighted[] => body.filter(([one]) => kindOf(one) === kind);
  const counts = Object.fromEntries(
    KINDS.map((kind) => [kind, sum(of(kind), ([, times]) => times)]),
  ) as Record<Kind, number>;
  const bytes = (kind: Kind): number =>
    sum(of(kind), ([{ name }, times]) => times * bytesOf(name)) / multiplied;
  const instructions = sum(body, ([, times]) => times);
  return {
    counts,
    instructions,
    multiplyAdds: multiplied,
    share: multiplied / instructions,
    ldsBytes: bytes('lds'),
    memoryBytes: bytes('memory'),
    text: all
      .slice(range.from, range.to)
      .map(({ text }) => text)
      .join('\n'),
  };
}

/** How often a loop runs whose counter goes from 0 to a constant; undefined where it does not. */
function roundsOf(body: readonly Instruction[]): number | undefined {
  for (const { text } of body) {
    const [, counter, bound] = /^s_cmpk?_\w+_[ui]32 (s\d+), (\w+)$/.exec(text) ?? [];
    const step = body
      .map((one) => /^s_addk?_[ui]32 (s\d+), (?:(s\d+), )?(\w+)$/.exec(one.text))
      .find((found) => found?.[1] === counter && (found?.[2] ?? counter) === counter)?.[3];
    const rounds = Math.ceil(Number(bound) / Number(step));
    if (rounds > 0 && Number.isFinite(rounds)) return rounds;
  }
  return undefined;
}

const work = (body: readonly Weighted[]): number =>
  sum(body, ([{ text }, times]) => times * multiplyAddsOf(text));

const sum = <T>(items: readonly T[], of: (item: T) => number): number =>
  items.reduce((total, item) => total + of(item), 0);
