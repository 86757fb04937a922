/** model.json of TensorFlow.js layers models: topologies that say something else, in the words of Keras 2 and 3. */
import { deepStrictEqual } from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { ScoreCamError } from '../../src/errors';
import { weightBlocks } from '../../src/model/blocks';
import { memorySource } from '../../src/model/bytes/byte-source';
import { readNetworkFile } from '../../src/model/foreign';
import { openTfjs } from '../../src/model/formats/tfjs';
import { isWeighted, weightShape } from '../../src/model/network';
import { networkOf } from '../../src/model/network-of';
import { elementCount } from '../../src/model/weight-source';
import { asKeras3 } from '../harness/keras-3';
import { readWhole } from '../harness/weight-fixtures';
import { damagedJson } from './mutations';
import { target } from './target';

type Json = Record<string, unknown>;

/** The file, a layer or a tensor. */
const NAMES = /model\.json|Network "|weights\.bin|score-cam\.json/;

const NAMED = ['mobilenet', 'sequential', 'branches'] as const;
const fixtureOf = (name: string, file: string): Uint8Array<ArrayBuffer> =>
  new Uint8Array(readFileSync(new URL(`../fixtures/tfjs/${name}/${file}`, import.meta.url)));
const jsonOf = (name: string): Json =>
  JSON.parse(new TextDecoder().decode(fixtureOf(name, 'model.json')));

const HALF = { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] } as const;

/**
 * Reads the network with all of its weights. What comes out of a tensor is what the file has in it, in another order; each
 * layer's weights arrive, once, and are as large as its shape says.
 */
async function openWhole(name: string, text: string): Promise<void> {
  const sibling = async (path: string) => {
    if (path.includes('weights'))
      return memorySource('weights.bin', fixtureOf(name, 'model.weights.bin'));
    throw new ScoreCamError('weights', `The file "${path}" was not given to model.json.`);
  };
  const file = memorySource('model.json', new TextEncoder().encode(text));
  const { manifest, weights } = await readNetworkFile(file, sibling, HALF);
  const network = await networkOf(manifest);
  if (!weights) throw new Error('a model.json that is a manifest');
  const stored = openTfjs('model.json', JSON.parse(text), sibling);
  for (const [tensor, { shape }] of weights.tensors) {
    const values = await readWhole(weights, tensor);
    if (values.length !== elementCount(shape)) throw new Error(`${tensor} has ${values.length}`);
    if (!stored.tensors.has(tensor)) continue;
    deepStrictEqual(values.sort(), (await readWhole(stored, tensor)).sort());
  }
  const arrived = new Map<string, number>();
  for await (const block of weightBlocks(network, weights, { dtype: 'f32' })) {
    const values = block.kind === 'conv' ? block.weight : block.values;
    if (!values.every(Number.isFinite)) throw new Error(`${block.layer.name} is not finite`);
    if (block.kind === 'bias') continue;
    arrived.set(block.layer.name, (arrived.get(block.layer.name) ?? 0) + values.length);
  }
  for (const layer of network.layers) {
    if (isWeighted(layer))
      deepStrictEqual(arrived.get(layer.name), elementCount(weightShape(layer)));
  }
}

/** The topology alone is damaged, the list of tensors stays. */
const topologies = (change: (json: Json) => Json) =>
  fc.constantFrom(...NAMED).chain((name) => {
    const { modelTopology, ...others } = change(jsonOf(name));
    return damagedJson(modelTopology).map((text) => ({
      name,
      text: `{"modelTopology":${text},${JSON.stringify(others).slice(1)}`,
    }));
  });

const read = ({ name, text }: { name: string; text: string }): Promise<void> =>
  openWhole(name, text);

/** Another value of the same member elsewhere, or one that the member may have. */
const CONFIGS: Readonly<Record<string, readonly unknown[]>> = {
  padding: [
    'same',
    'valid',
    1,
    [1, 1],
    [
      [0, 1],
      [0, 1],
    ],
  ],
  strides: [1, 2, [2, 2], [1, 3], [5, 5]],
  kernel_size: [1, 3, [3, 1], [5, 5]],
  activation: ['linear', 'relu', 'relu6', 'softmax', 'sigmoid', 'swish', 'hard_sigmoid', null],
  use_bias: [true, false],
  units: [6, 7, 11],
  filters: [5, 8, 24],
  axis: [-1, 1, 3, [3]],
  target_shape: [[24], [1, 1, 24], [-1], [1, 1, -1], [2, 12]],
  keepdims: [true],
  depth_multiplier: [1, 2],
  batch_input_shape: [
    [null, 32, 32, 3],
    [null, null, null, 3],
    [null, 24, 24, 3],
    [null, 1, 1, 3],
  ],
};

/** A few members of layers' configurations are others', and a layer may be of another class or read another. */
const plausible = fc
  .tuple(
    fc.constantFrom(...NAMED),
    fc.boolean(),
    fc.array(
      fc.record({
        layer: fc.nat(60),
        member: fc.constantFrom(...Object.keys(CONFIGS)),
        value: fc.nat(9),
      }),
      { minLength: 1, maxLength: 3 },
    ),
    fc.option(
      fc.record({ layer: fc.nat(60), other: fc.nat(60), kind: fc.constantFrom('class', 'input') }),
    ),
  )
  .map(([name, isNew, edits, swap]) => {
    const json = isNew ? asKeras3(jsonOf(name)) : jsonOf(name);
    const layers = layersOf(json);
    for (const { layer, member, value } of edits) {
      // Where the member is, most of the time.
      const having = layers.filter(({ config }) => member in (config as Json));
      const of = (having.length > 0 ? having : layers) as Json[];
      const values = CONFIGS[member] as readonly unknown[];
      ((of[layer % of.length] as Json).config as Json)[member] = values[value % values.length];
    }
    if (swap) {
      const [to, from] = [
        layers[swap.layer % layers.length],
        layers[swap.other % layers.length],
      ] as [Json, Json];
      if (swap.kind === 'class') to.class_name = from.class_name;
      else to.inbound_nodes = from.inbound_nodes;
    }
    return { name, text: JSON.stringify(json) };
  });

function layersOf(json: Json): Json[] {
  const topology = json.modelTopology as Json;
  const model = (topology.model_config ?? topology) as Json;
  return (model.config as { layers: Json[] }).layers;
}

export const KERAS = [
  target(
    'keras-2',
    5,
    topologies((json) => json),
    NAMES,
    read,
  ),
  target('keras-3', 1, topologies(asKeras3), NAMES, read),
  target('keras-plausible', 3, plausible, NAMES, read),
];
