/*
 * What stands in a kernel's hot loop, read from the disassembly that Mesa's RADV gives: LLVM's syntax of AMD's
 * instructions, with labels `BB7:` where branches go.
 */

/** What an instruction keeps busy. `control` waits, branches or hints, and computes nothing. */
export type Kind = 'multiply' | 'vector' | 'lds' | 'memory' | 'scalar' | 'control';

export const KINDS: readonly Kind[] = ['multiply', 'vector', 'lds', 'memory', 'scalar', 'control'];

export interface HotLoop {
  /** Instructions of a round, by kind; of loops in it none. */
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
  // A matrix of 16x16x16 by 32 lanes.
  if (/^v_wmma/.test(name)) return 128;
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

/**
 * The loop with the most multiply-adds of its own; without any loop that multiplies, the whole program.
 * @returns undefined for a program that multiplies nowhere
 */
export function hotLoopOf(assembly: string): HotLoop | undefined {
  const all = instructionsOf(assembly);
  const start = (block: number): number => all.findIndex((one) => one.block >= block);
  const loops = new Map<number, number>();
  all.forEach(({ target, block }, i) => {
    if (target !== undefined && target <= block) loops.set(start(target), i + 1);
  });
  const ranges = [...loops].map(([from, to]) => ({ from, to }));
  const own = ({ from, to }: { from: number; to: number }): Instruction[] =>
    all
      .slice(from, to)
      .filter(
        (_, i) =>
          !ranges.some(
            (inner) =>
              inner.from >= from &&
              inner.to <= to &&
              inner.to - inner.from < to - from &&
              from + i >= inner.from &&
              from + i < inner.to,
          ),
      );
  const bodies = [...ranges.map(own), all].map((body) => ({ body, work: sum(body, multiplyAdds) }));
  const inLoops = bodies.slice(0, -1);
  const best = inLoops.reduce<(typeof bodies)[number] | undefined>(
    (most, one) => (one.work > (most?.work ?? 0) ? one : most),
    undefined,
  );
  const { body, work } = best ?? (bodies.at(-1) as (typeof bodies)[number]);
  if (work === 0) return undefined;
  const counts = Object.fromEntries(
    KINDS.map((kind) => [kind, body.filter((one) => kindOf(one) === kind).length]),
  ) as Record<Kind, number>;
  const bytes = (kind: Kind): number =>
    sum(body, (one) => (kindOf(one) === kind ? bytesOf(one.name) : 0)) / work;
  return {
    counts,
    instructions: body.length,
    multiplyAdds: work,
    share: work / body.length,
    ldsBytes: bytes('lds'),
    memoryBytes: bytes('memory'),
    text: body.map(({ text }) => text).join('\n'),
  };
}

const multiplyAdds = ({ text }: Instruction): number => multiplyAddsOf(text);

const sum = <T>(items: readonly T[], of: (item: T) => number): number =>
  items.reduce((total, item) => total + of(item), 0);
