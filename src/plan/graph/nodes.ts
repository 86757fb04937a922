import type { ConvLayer, JoinLayer, Layer, Network, Shape } from '../../model/network';
import { isKnownByOutput, isMonotone, NO_ACTIVATION } from '../../numbers/activation';
import { beforeActivation } from '../steps';

/** What one step computes: a layer, and what is fused into it. */
export interface Node {
  readonly layer: Layer;
  /** All of it, in order; the last gives the node its name. */
  readonly layers: readonly string[];
  /** The layers whose outputs it reads; of a convolution, the second is added to the sum. */
  readonly inputs: readonly string[];
  readonly output: Shape;
  /** Of a pooling, none. */
  readonly activation: number;
  readonly pool: Layer | undefined;
}

export function nameOf({ layers }: Node): string {
  return layers.at(-1) as string;
}

/** Whether the way back through a layer needs its values before the activation. */
export function needsBefore(layer: Layer): boolean {
  return 'activation' in layer && !isKnownByOutput(layer.activation);
}

/**
 * The nodes of a network, in its order. An activation, an addition or a 2x2 pooling goes into what it reads, if nobody
 * else reads that and its own output is not to be kept.
 */
export function nodesOf({ layers }: Network, keep: ReadonlySet<string>): Node[] {
  const readers = new Map<string, number>();
  for (const name of layers.flatMap(({ inputs }) => inputs)) {
    readers.set(name, (readers.get(name) ?? 0) + 1);
  }
  const nodes: Node[] = [];
  const indexOf = (name: string): number => nodes.findIndex((node) => nameOf(node) === name);
  /** The place of what `name` is computed by, if something can be fused into that. */
  const open = (name: string | undefined): number => {
    const isSole = name !== undefined && readers.get(name) === 1 && !keep.has(name);
    return isSole ? indexOf(name) : -1;
  };
  for (const layer of layers) {
    if (keep.has(beforeActivation(layer.name))) {
      nodes.push(...split(layer));
      continue;
    }
    const fused = fusedInto(layer, nodes, open);
    if (fused) nodes[fused.at] = fused.node;
    else nodes.push(single(layer));
  }
  return nodes;
}

function single(layer: Layer): Node {
  const activation = 'activation' in layer ? layer.activation : NO_ACTIVATION;
  const { name, inputs, output } = layer;
  return { layer, layers: [name], inputs, output, activation, pool: undefined };
}

/** A layer without its activation, and the activation. */
function split(layer: Layer): Node[] {
  const before = beforeActivation(layer.name);
  const whole = single(layer);
  const bend: JoinLayer = {
    type: 'activation',
    name: layer.name,
    inputs: [before],
    input: layer.output,
    output: layer.output,
    activation: whole.activation,
  };
  return [{ ...whole, layers: [before], activation: NO_ACTIVATION }, single(bend)];
}

function fusedInto(
  layer: Layer,
  nodes: readonly Node[],
  open: (name: string | undefined) => number,
): { readonly at: number; readonly node: Node } | undefined {
  const { name, inputs, output } = layer;
  if (layer.type === 'activation') {
    const at = open(inputs[0]);
    const node = nodes[at];
    if (!node || node.activation !== NO_ACTIVATION || !bends(node.layer) || node.pool) {
      return undefined;
    }
    return { at, node: { ...node, layers: [...node.layers, name], activation: layer.activation } };
  }
  if (layer.type === 'maxpool') {
    const at = open(inputs[0]);
    const node = nodes[at];
    const pools =
      node?.layer.type === 'conv' &&
      node.inputs.length === 1 &&
      !node.pool &&
      isMonotone(node.activation);
    return pools
      ? { at, node: { ...node, layers: [...node.layers, name], output, pool: layer } }
      : undefined;
  }
  if (layer.type === 'add') {
    // Into whichever of the two comes last: by then the other is there. Not into the first, which masks.
    const at = Math.max(...inputs.map(open));
    const node = nodes[at];
    const other = node && inputs.find((input) => input !== nameOf(node));
    const addsUp =
      node &&
      other !== undefined &&
      at > 0 &&
      (node.layer.type === 'conv' || node.layer.type === 'windowconv') &&
      node.inputs.length === 1 &&
      !node.pool &&
      node.activation === NO_ACTIVATION &&
      nodes.findIndex((one) => nameOf(one) === other) < at;
    return addsUp
      ? {
          at,
          node: {
            ...node,
            layers: [...node.layers, name],
            inputs: [...node.inputs, other],
            activation: layer.activation,
          },
        }
      : undefined;
  }
  return undefined;
}

/** Whether what computes a layer can bend its values. */
function bends({ type }: Layer): boolean {
  return type === 'conv' || type === 'windowconv' || type === 'add' || type === 'multiply';
}

/** A node whose layer is a plain convolution. */
export function isConv(node: Node): node is Node & { readonly layer: ConvLayer } {
  return node.layer.type === 'conv';
}
