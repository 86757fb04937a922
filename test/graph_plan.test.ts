import { describe, expect, it } from 'vitest';
import { type GraphManifest, parseGraph } from '../src/model/graph/manifest';
import { buildGraph } from '../src/model/graph/network';
import { IMAGE, type Network } from '../src/model/network';
import { passesBehind } from '../src/plan/batches';
import { compile, keeping, type Plan } from '../src/plan/compile';
import { graphSteps } from '../src/plan/graph/steps';
import type { JoinStep, Step } from '../src/plan/steps';
import { factsOf, softwareFacts } from './harness/facts';
import { type SmallGraphName, smallGraph, smallGraphs } from './harness/small-graph';

const names = Object.keys(smallGraphs) as SmallGraphName[];

const graph = { steps: graphSteps };

/** Of an image of 8x6; classes are the last layer's values. */
function graphOf(layers: readonly { readonly name: string }[]): Network {
  const manifest = (classes: number): GraphManifest =>
    parseGraph({
      format: 'score-cam-webgpu/model',
      version: 2,
      ...{ name: 'made', description: 'for a test', licence: 'MIT', targetLayer: layers[0]?.name },
      input: { width: 8, height: 6, mean: [0, 0, 0], std: [1, 1, 1], resize: 'cover' },
      layers: [...layers, { type: 'globalavgpool', name: 'gap' }],
      labels: Array.from({ length: classes }, (_, i) => `${i}`),
      weights: { format: 'safetensors', file: 'none' },
    });
  for (let classes = 1; ; classes++) {
    try {
      return buildGraph(manifest(classes));
    } catch (error) {
      if (classes > 64 || !/outputs, but/.test(String(error))) throw error;
    }
  }
}

function planOf(network: Network, keep: readonly string[] = []): Plan {
  return compile(network, factsOf(), { graph, keep });
}

const tensorOf = ({ name, home }: Step): string => home?.tensor ?? name;

/** Walks through the steps as the recorder does, and throws where a tensor is read that is not there. */
function walk({ steps }: Plan, keep: readonly string[]): { left: string[]; peak: number } {
  const alive = new Map([[IMAGE, 0]]);
  let peak = 0;
  for (const step of steps) {
    alive.set(tensorOf(step), step.home?.bytes ?? step.bytes.output);
    for (const [i, input] of step.inputs.entries()) {
      // A buffer is not bound to be read and to be written at once.
      const isRead = step.kind !== 'concat' || step.copies?.some((copy) => copy.input === i);
      if (isRead && input === tensorOf(step)) throw new Error(`${step.name} reads what it writes`);
      if (!alive.has(input)) throw new Error(`${step.name} reads ${input}, which is gone`);
    }
    peak = Math.max(
      peak,
      [...alive.values()].reduce((a, b) => a + b),
    );
    for (const input of step.last) {
      if (!alive.delete(input)) throw new Error(`${step.name} gives up ${input} again`);
      if (keep.includes(input)) throw new Error(`${input} was to be kept`);
    }
  }
  alive.delete(IMAGE);
  return { left: [...alive.keys()], peak };
}

describe('graphs', () => {
  it.each(names)('%s: a tensor lives from its first writer to its last reader', (name) => {
    const { network } = smallGraph(name);
    const logits = network.layers.at(-1)?.name as string;
    expect(walk(planOf(network), []).left).toEqual([logits]);
    for (const { name: one } of network.layers) {
      const plan = planOf(network, [one]);
      expect(new Set(walk(plan, [one]).left)).toEqual(new Set([one, logits]));
      // What is kept is a tensor of its own.
      expect(plan.steps.find((step) => step.name === one)?.home?.tensor ?? one).toBe(one);
    }
    const all = network.layers.map((layer) => layer.name);
    expect(walk(planOf(network, all), all).left.sort()).toEqual([...all].sort());
  });

  it.each(names)('%s: every layer is computed once', (name) => {
    const { network } = smallGraph(name);
    const { steps } = planOf(network);
    const computed = steps.flatMap(({ layers }) => layers);
    expect(new Set(computed).size).toBe(computed.length);
    const missing = network.layers.filter((layer) => !computed.includes(layer.name));
    // Concatenations that are the beginning of a longer one.
    expect(missing.every(({ type }) => type === 'concat')).toBe(true);
  });

  it('additions and their activations go into the convolution that comes last', () => {
    const { steps } = planOf(smallGraph('residual').network);
    expect(steps.map((step) => step.name)).toEqual([
      'stem',
      'pool',
      'one.a',
      'one',
      'two.a',
      'two.b',
      'two',
      'gap',
      'fc',
    ]);
    expect(steps.find((step) => step.name === 'one')).toMatchObject({
      kind: 'conv',
      layers: ['one.b', 'one'],
      inputs: ['one.a', 'pool'],
      shape: { activation: 0 },
    });
    expect(steps.find((step) => step.name === 'two')).toMatchObject({
      kind: 'windowconv',
      layers: ['two.short', 'two'],
      inputs: ['one', 'two.b'],
    });
  });

  it.each(['fire', 'dense'] as const)('%s: what is concatenated is written in place', (name) => {
    const { steps } = planOf(smallGraph(name).network);
    const joins = steps.filter((step): step is JoinStep => step.kind === 'concat');
    expect(joins.length).toBeGreaterThan(0);
    for (const step of joins) expect(step.copies).toBeUndefined();
    expect(steps.filter((step) => step.home).length).toBeGreaterThan(joins.length);
  });

  it('what reads a part of a concatenation does not write another part of it', () => {
    const twice = (inputs: readonly string[]) => ({ type: 'concat', name: 'join', inputs });
    const conv = { type: 'conv', name: 'a', outChannels: 4, kernel: 3, weight: 'w', bias: 'b' };
    const depthwise = { ...conv, name: 'b', groups: 4 };
    const stem = { ...conv, name: 'stem' };
    const network = graphOf([stem, conv, depthwise, twice(['a', 'b'])]);
    const plan = planOf(network);
    walk(plan, []);
    expect(plan.steps.at(-2)).toMatchObject({ kind: 'concat', copies: [{ input: 1, first: 4 }] });
    // A concatenation within another that also holds one of its parts.
    const nested = graphOf([
      stem,
      conv,
      { ...depthwise, inputs: ['a'] },
      { type: 'concat', name: 'inner', inputs: ['a', 'b'] },
      twice(['inner', 'a']),
    ]);
    walk(planOf(nested), []);
  });

  it('are the same for the same network, device and options', () => {
    const { network } = smallGraph('dense');
    expect(compile(network, softwareFacts(1), { graph })).toEqual(
      compile(network, softwareFacts(1), { graph }),
    );
  });

  it('go on behind a layer that everything goes through, and no other', () => {
    const plan = planOf(smallGraph('residual').network);
    const { features, head } = passesBehind(plan, 'two');
    expect([...features, ...head].map((step) => step.name)).toEqual(['gap', 'fc']);
    expect(() => passesBehind(plan, 'one.a')).toThrow('"one.a" is bypassed');
    expect(keeping(plan, ['two']).features.map((step) => step.name)).toContain('two');
  });
});
