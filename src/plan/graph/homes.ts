import type { Copied, Range } from '../steps';
import { type Node, nameOf } from './nodes';

/** Which part of which tensor a node's output is. */
export interface Place extends Range {
  readonly tensor: string;
}

/** What concatenations are made of, and where it stands. */
export interface Homes {
  /** By name, of what stands in a concatenation; whatever is not here is a tensor of its own. */
  readonly places: ReadonlyMap<string, Place>;
  /** By concatenation, those of its inputs that must be copied into it. */
  readonly copies: ReadonlyMap<string, readonly Copied[]>;
  /** Concatenations that are but a part of another, with nothing to be copied: no step. */
  readonly virtual: ReadonlySet<string>;
}

/**
 * Lets what is concatenated be written where it belongs. The last concatenation of a chain, as in DenseNet's blocks, is
 * the one tensor in which those before it are the first channels.
 * @param keep what is wanted as a tensor of its own
 */
export function homesOf(nodes: readonly Node[], keep: ReadonlySet<string>): Homes {
  const apart = new Set(keep);
  for (;;) {
    const homes = placed(nodes, apart);
    const name = selfReader(nodes, homes);
    if (name === undefined) return homes;
    apart.add(name);
  }
}

/**
 * What must be a tensor of its own lest one part of a tensor is read while another is written, which WebGPU does not allow:
 * what is written, or where that is the whole of it, what is read.
 */
function selfReader(nodes: readonly Node[], { places, copies }: Homes): string | undefined {
  for (const node of nodes) {
    const name = nameOf(node);
    const place = places.get(name);
    const own = place?.tensor ?? name;
    const read =
      node.layer.type === 'concat'
        ? (copies.get(name) ?? []).map(({ input }) => node.inputs[input] as string)
        : node.inputs;
    const found = read.find((input) => (places.get(input)?.tensor ?? input) === own);
    if (found !== undefined) return place ? name : found;
  }
  return undefined;
}

function placed(nodes: readonly Node[], keep: ReadonlySet<string>): Homes {
  const places = new Map<string, Place>();
  const copies = new Map<string, Copied[]>();
  const virtual = new Set<string>();
  const byName = new Map(nodes.map((node) => [nameOf(node), node]));
  const readable = (name: string): boolean =>
    nodes.every((node) => !node.inputs.includes(name) || readsParts(node));
  const free = (name: string): boolean =>
    !places.has(name) && !keep.has(name) && nameOf(nodes.at(-1) as Node) !== name && readable(name);
  for (const node of nodes.toReversed()) {
    if (node.layer.type !== 'concat') continue;
    const name = nameOf(node);
    const { inputs } = node;
    const sizes = inputs.map((input) => byName.get(input)?.output.channels ?? 0);
    const found = stretch(inputs, sizes, places);
    if (!places.has(name) && found && free(name)) {
      places.set(name, found);
      virtual.add(name);
      continue;
    }
    const home = places.get(name) ?? { tensor: name, first: 0, of: node.output.channels };
    let { first } = home;
    inputs.forEach((input, i) => {
      const own = byName.get(input);
      const isOnce = inputs.indexOf(input) === inputs.lastIndexOf(input);
      if (own && own !== nodes[0] && isOnce && writesParts(own) && free(input)) {
        places.set(input, { tensor: home.tensor, first, of: home.of });
      } else {
        copies.set(name, [
          ...(copies.get(name) ?? []),
          { input: i, channels: sizes[i] as number, first },
        ]);
      }
      first += sizes[i] as number;
    });
    if (places.has(name) && !copies.has(name)) virtual.add(name);
  }
  return { places, copies, virtual };
}

/** The part of one tensor that these make up already, one behind the other. */
function stretch(
  inputs: readonly string[],
  sizes: readonly number[],
  places: ReadonlyMap<string, Place>,
): Place | undefined {
  const start = places.get(inputs[0] as string);
  if (!start) return undefined;
  let { first } = start;
  for (const [i, input] of inputs.entries()) {
    const place = places.get(input);
    if (place?.tensor !== start.tensor || place.first !== first) return undefined;
    first += sizes[i] as number;
  }
  return start;
}

/** Whether a node can write its output into a part of a tensor. */
function writesParts({ layer }: Node): boolean {
  return layer.type !== 'maxpool' && layer.type !== 'globalavgpool' && layer.type !== 'linear';
}

/**
 * Whether a node can read parts of a tensor. Plain convolutions cannot; nor may what is added to their sums be one, since
 * they read a little beyond it, which is to be a number (kernels/winograd/winograd_output.wgsl).
 */
function readsParts(node: Node): boolean {
  return node.layer.type !== 'conv' && writesParts(node);
}
