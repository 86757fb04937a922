import { describe, expect, it } from 'vitest';
import { compile } from '../src/plan/compile';
import type { Step } from '../src/plan/steps';
import { graphKit } from '../src/runtime/load-graph-kit';
import { factsOf } from './harness/facts';
import { randomGraph } from './harness/random-graph';

const tensorOf = ({ home, name }: Step): string => home?.tensor ?? name;

/** What a step reads with a kernel that writes: of a concatenation, what is copied. */
function readBy(step: Step): readonly string[] {
  if (step.kind !== 'concat') return step.inputs;
  return (step.copies ?? []).map(({ input }) => step.inputs[input] as string);
}

/** Where a step writes: its channels, or those that are copied. */
function writtenBy(step: Step): [first: number, end: number][] {
  if (step.kind !== 'concat') {
    const first = step.home?.first ?? 0;
    return [[first, first + step.output.channels]];
  }
  return (step.copies ?? []).map(({ first, channels }) => [first, first + channels]);
}

/** Follows a plan: which tensors there are, and which of their channels are written. */
function follow(steps: readonly Step[]): void {
  const there = new Map<string, Set<number>>([['image', new Set([0, 1, 2])]]);
  for (const step of steps) {
    const tensor = tensorOf(step);
    expect(readBy(step), `${step.name} reads what it writes`).not.toContain(tensor);
    step.inputs.forEach((input, i) => {
      const channels = there.get(input);
      expect(channels, `${step.name} reads ${input}, which is gone`).toBeDefined();
      const { first = 0 } = step.ranges?.[i] ?? {};
      expect(channels?.has(first), `${step.name} reads ${input} at ${first}`).toBe(true);
    });
    const channels = there.get(tensor) ?? new Set();
    there.set(tensor, channels);
    for (const [first, end] of writtenBy(step)) {
      for (let c = first; c < end; c++) {
        expect(channels.has(c), `${step.name} writes channel ${c} again`).toBe(false);
        channels.add(c);
      }
    }
    if (step.kind === 'concat') {
      const { first = 0 } = step.home ?? {};
      const own = Array.from({ length: step.output.channels }, (_, c) => channels.has(first + c));
      expect(own, `${step.name} is whole`).not.toContain(false);
    }
    for (const name of step.last) there.delete(name);
  }
  expect([...there.keys()], 'what is left').toEqual(['image', tensorOf(steps.at(-1) as Step)]);
}

describe('plans of networks by chance', () => {
  it('write every channel once and before it is read, never beside a read of the same tensor', async () => {
    let inPlace = 0;
    for (let seed = 0; seed < 300; seed++) {
      const { network } = randomGraph(seed);
      const graph = await graphKit(network);
      const { steps } = compile(network, factsOf(), { graph });
      inPlace += steps.filter(({ kind, home }) => home && kind !== 'concat').length;
      follow(steps);
    }
    expect(inPlace).toBeGreaterThan(100);
  });
});
