import { isDepthwise } from '../../kernels/graph/pack_window_conv';
import {
  type GraphLayer,
  IMAGE,
  type LinearLayer,
  layerFlops,
  type Network,
  sizeOf,
  type WindowConvLayer,
  weightShape,
} from '../../model/network';
import { type ConvDtype, WEIGHT_BYTES } from '../../numbers/dtypes';
import { roundUp } from '../../numbers/padding';
import type { Decisions, Tensors } from '../compile';
import { convDevice } from '../device';
import type { GraphStep, Home, JoinStep, Step, WindowConvStep } from '../steps';
import { homesOf, type Place } from './homes';
import { isConv, type Node, nameOf, nodesOf } from './nodes';

/** The steps of a network that is not sequential, in its order. */
export function graphSteps(network: Network, keep: ReadonlySet<string>, decide: Decisions): Step[] {
  const nodes = nodesOf(network, keep);
  const { places, copies, virtual } = homesOf(nodes, keep);
  const tensorOf = (name: string): string => places.get(name)?.tensor ?? name;
  const computed = nodes.filter((node) => !virtual.has(nameOf(node)));
  const isKept = (tensor: string): boolean =>
    tensor === IMAGE || tensor === nameOf(nodes.at(-1) as Node) || keep.has(tensor);
  const lastUses = new Map<string, number>();
  computed.forEach((node, i) => {
    for (const name of [...node.inputs, nameOf(node)]) lastUses.set(tensorOf(name), i);
  });
  return computed.map((node, i) => {
    const name = nameOf(node);
    const inputs = node.inputs.map(tensorOf);
    const last = [...new Set(inputs)].filter(
      (tensor) => lastUses.get(tensor) === i && !isKept(tensor),
    );
    // A concatenation that others write into is in its place from the first of them on.
    const place = places.get(name) ?? (node.layer.type === 'concat' ? wholeOf(node) : undefined);
    const home: Home | undefined = place && {
      ...place,
      bytes: (4 * place.of * sizeOf(node.output)) / node.output.channels,
    };
    const ranges = node.inputs.map((input) => places.get(input));
    const tensors: Tensors = {
      inputs,
      last,
      ...(ranges.some((range) => range) ? { ranges } : {}),
      ...(home ? { home } : {}),
    };
    const { layer, pool, activation, layers } = node;
    if (isConv(node)) {
      return decide.conv({ layer: node.layer, pool, activation, layers }, tensors, i === 0);
    }
    if (layer.type === 'linear') {
      return { ...decide.linear({ ...layer, activation } as LinearLayer, tensors), name, layers };
    }
    if (layer.type === 'maxpool' || layer.type === 'globalavgpool') {
      return decide.pooling(layer, tensors);
    }
    return graphStep(node, layer as GraphLayer, tensors, decide, i === 0, copies.get(name));
  });
}

function wholeOf(node: Node): Place {
  return { tensor: nameOf(node), first: 0, of: node.output.channels };
}

function graphStep(
  { layers, output, activation }: Node,
  layer: GraphLayer,
  tensors: Tensors,
  { dtype, facts }: Decisions,
  isFirst: boolean,
  copies: JoinStep['copies'],
): GraphStep {
  const base = {
    name: layers.at(-1) as string,
    layers,
    ...tensors,
    output,
    flop: layerFlops(layer),
    bytes: { weights: 0, output: 4 * sizeOf(output) },
  };
  if (layer.type === 'windowpool') return { ...base, kind: layer.type, layer };
  if (layer.type !== 'windowconv') {
    return { ...base, kind: layer.type, layer, activation, ...(copies ? { copies } : {}) };
  }
  const own: ConvDtype = dtype === 'f32' ? 'f32' : 'f16';
  const { quads } = convDevice(facts, 'f32');
  return {
    ...base,
    bytes: { ...base.bytes, weights: weightBytes(layer, own) },
    kind: layer.type,
    layer,
    activation,
    tiling: tilingOf(layer, facts.isFallback, quads, isFirst),
    quads,
    layout: { dtype: own, transformed: undefined },
  };
}

/** Masks are fused into the kernels of convolutions in general, so the first is one of those. */
/** The first convolution masks, whatever it is, which depthwise ones of their own kernel cannot. */
function tilingOf(
  { groups, input, output }: WindowConvLayer,
  isFallback: boolean,
  quads: number | undefined,
  isFirst: boolean,
): WindowConvStep['tiling'] {
  if (isDepthwise({ groups, inChannels: input.channels }) && !isFirst) return 'depthwise';
  if (!isFallback) return 'workgroup';
  // A quad has 32 output channels of a group at once: of 16 or fewer, more than half of it would idle.
  return quads && output.channels / groups > 16 ? 'quads' : 'registers';
}

/** Packed, with its bias. */
function weightBytes(layer: WindowConvLayer, dtype: ConvDtype): number {
  const [outputs = 0, ...each] = weightShape(layer);
  const padded = roundUp(outputs, 8);
  return padded * (WEIGHT_BYTES[dtype] * each.reduce((a, b) => a * b, 1) + 4);
}
