import { ScoreCamError } from '../../../errors';
import { CONSTANT_OPERATORS } from './constant-operators';
import type { Draft } from './draft';
import type { OnnxGraph, OnnxNode } from './graph';
import { LAYER_OPERATORS } from './layer-operators';
import { Operation, type Operator } from './operation';
import { SHAPE_OPERATORS } from './shape-operators';
import type { TensorFiles } from './tensors';
import { type MapValue, storedWeight, type Value } from './values';
import { WINDOW_OPERATORS } from './window-operators';

const ON_MAPS = { ...SHAPE_OPERATORS, ...WINDOW_OPERATORS, ...LAYER_OPERATORS };
const ON_CONSTANTS = { ...SHAPE_OPERATORS, ...CONSTANT_OPERATORS };

/** Of anything: what they do is known before what they read. */
const ALWAYS = new Set(['Cast', 'Shape']);

/**
 * The layers that the graph's nodes are, one a node, and what its output is a view of.
 * @throws ScoreCamError `network` naming node, operator and what is supported
 */
export async function drafted(
  graph: OnnxGraph,
  files: TensorFiles,
  image: MapValue & { readonly name: string },
  output: string,
): Promise<{ readonly drafts: readonly Draft[]; readonly value: MapValue }> {
  const fail = (problem: string): never => {
    throw new ScoreCamError('network', `${files.file.name}: ${problem}`);
  };
  const values = new Map<string, Value>([[image.name, image]]);
  const drafts: Draft[] = [image.draft];
  const counter = { count: 0 };
  const lookUp = (name: string, reader: string): Value => {
    const known = values.get(name);
    if (known) return known;
    const tensor = graph.initialisers.get(name);
    return tensor
      ? storedWeight(tensor)
      : fail(`${reader} reads "${name}", which no node before it gives and no tensor is called.`);
  };
  for (const node of neededNodes(graph, output)) {
    const reader = `node "${node.name}" (${node.operator})`;
    const inputs = node.inputs.map((name) => (name === '' ? undefined : lookUp(name, reader)));
    const operation = new Operation(node, graph.opset, inputs, files, drafts, counter);
    const result = await operatorOf(node, inputs, fail)(operation);
    operation.checkAttributes();
    if (result.kind === 'computed') operation.spend(result.values.length);
    const [name = ''] = node.outputs;
    if (values.has(name) || graph.initialisers.has(name)) fail(`${reader} gives "${name}" again.`);
    values.set(name, result);
  }
  const value = lookUp(output, 'the output');
  return value.kind === 'map'
    ? { drafts, value }
    : fail('its output does not depend on the image.');
}

/** Those that the output depends on. */
function neededNodes({ nodes }: OnnxGraph, output: string): readonly OnnxNode[] {
  const needed = new Set([output]);
  return nodes
    .toReversed()
    .filter(({ outputs, inputs }) => {
      if (!outputs.some((name) => needed.has(name))) return false;
      for (const name of inputs) needed.add(name);
      return true;
    })
    .reverse();
}

function operatorOf(
  { name, operator }: OnnxNode,
  inputs: readonly (Value | undefined)[],
  fail: (problem: string) => never,
): Operator {
  const isConstant = ALWAYS.has(operator) || inputs.every((value) => value?.kind !== 'map');
  const table: Readonly<Record<string, Operator>> = isConstant ? ON_CONSTANTS : ON_MAPS;
  const found = Object.hasOwn(table, operator) ? table[operator] : undefined;
  if (found) return found;
  const what = isConstant ? 'of constants' : 'of what depends on the image';
  return fail(
    `node "${name}" is ${/^[AEIOU]/.test(operator) ? 'an' : 'a'} ${operator} ${what}, which is not supported. Supported are ` +
      `${Object.keys(table).join(', ')}.`,
  );
}
