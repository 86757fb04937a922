import {
  isWeighted,
  type Layer,
  type Network,
  type WeightedLayer,
  type Window,
  weightShape,
} from '../../src/model/network';
import { elementCount, type WeightSource } from '../../src/model/weight-source';
import {
  HARD_SIGMOID,
  HARD_SWISH,
  NO_ACTIVATION,
  RELU,
  SIGMOID,
  SILU,
} from '../../src/numbers/activation';
import { layerWeights } from './layer-weights';
import { type Fields, float, integer, message, nested, text } from './protobuf';
import { HALVING, windowOf } from './windows';

/** Operators as of ONNX 1.9, the first with HardSwish; every runtime of today knows them. */
const OPSET = 14;
const IR_VERSION = 7;
/** TensorProto.DataType */
const FLOAT = 1;
/** TensorProto.DataLocation */
const EXTERNAL = 1;

/** Also the name that layers read the image by. */
export const INPUT = 'image';
export const OUTPUT = 'logits';
/** The name under which a model refers to the file of its weights. */
export const WEIGHTS_FILE = 'weights.bin';

/**
 * A network as an ONNX ModelProto, batch 1, f32: a node for every layer, and one or two for its activation. The graph is a
 * few kB; the tensors are external data, in the order of {@link externalTensors}, one after the other in
 * {@link WEIGHTS_FILE}, with batch normalisation folded in. Field numbers are those of
 * https://github.com/onnx/onnx/blob/v1.10.2/onnx/onnx.proto
 */
export function onnxModel(network: Network): Fields {
  const { name, input, labels } = network;
  const shape = [1, input.channels, input.height, input.width];
  return message(
    integer(1, IR_VERSION),
    text(2, 'score-cam-webgpu bench'),
    nested(
      7, // graph
      ...nodes(network),
      text(2, name),
      ...externalTensors(network).map((tensor) => nested(5, initialiser(tensor))),
      nested(11, valueInfo(INPUT, shape)),
      nested(12, valueInfo(OUTPUT, [1, labels.length])),
    ),
    nested(8, text(1, ''), integer(2, OPSET)), // opset_import of the default domain
  );
}

/** One tensor of the weights file. */
export interface ExternalTensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** Of its first byte. */
  readonly offset: number;
  readonly bytes: number;
}

/** What the weights file holds: every layer's weight and bias as little-endian f32, without gaps. */
export function externalTensors({ layers }: Network): ExternalTensor[] {
  const tensors: ExternalTensor[] = [];
  let offset = 0;
  for (const layer of layers.filter(isWeighted)) {
    const shapes = [weightShape(layer), [layer.output.channels]];
    for (const [i, name] of tensorNames(layer).entries()) {
      const shape = shapes[i] as number[];
      const bytes = 4 * elementCount(shape);
      tensors.push({ name, shape, offset, bytes });
      offset += bytes;
    }
  }
  return tensors;
}

/** Of a layer's weight and bias: after the layer, since layers may share what they are made from. */
function tensorNames({ name }: WeightedLayer): [string, string] {
  return [`${name}.weight`, `${name}.bias`];
}

/** The weights file itself. */
export async function externalData(network: Network, weights: WeightSource): Promise<Uint8Array> {
  const tensors = new Map(externalTensors(network).map((tensor) => [tensor.name, tensor]));
  const last = [...tensors.values()].at(-1);
  const data = new Float32Array(last ? (last.offset + last.bytes) / 4 : 0);
  for await (const { layer, weight, bias } of layerWeights(network, weights)) {
    const [offset = 0, biasOffset = 0] = tensorNames(layer).map((of) => tensors.get(of)?.offset);
    data.set(weight, offset / 4);
    data.set(bias, biasOffset / 4);
  }
  return new Uint8Array(data.buffer);
}

/** NodeProtos, each as a field of GraphProto. The values between them are called after layers. */
function nodes({ layers }: Network): Fields[] {
  const fields: Fields[] = [];
  const add: Add = (operator, inputs, name, ...attributes) => {
    fields.push(
      nested(
        1,
        ...inputs.map((input) => text(1, input)),
        text(2, name),
        text(3, name),
        text(4, operator),
        ...attributes.map((attribute) => nested(5, attribute)),
      ),
    );
  };
  const flat = new Set(layers.flatMap(({ type, name }) => (type === 'linear' ? [name] : [])));
  const last = layers.at(-1) as Layer;
  for (const layer of layers) {
    const name = layer === last && flat.has(layer.name) ? OUTPUT : layer.name;
    const activation = 'activation' in layer ? layer.activation : NO_ACTIVATION;
    if (layer.type === 'activation') {
      activate(add, activation, layer.inputs[0] as string, name);
      continue;
    }
    const sum = activation === NO_ACTIVATION ? name : `${name} before activation`;
    addSum(add, layer, sum, flat);
    if (sum !== name) activate(add, activation, sum, name);
  }
  if (!flat.has(last.name)) add('Flatten', [last.name], OUTPUT, integerAttribute('axis', 1));
  return fields;
}

type Add = (
  operator: string,
  inputs: readonly string[],
  name: string,
  ...attributes: Fields[]
) => void;

/** What a layer computes before its activation. @param flat names of values [1, features] */
function addSum(add: Add, layer: Layer, name: string, flat: ReadonlySet<string>): void {
  const { inputs } = layer;
  const [input = ''] = inputs;
  switch (layer.type) {
    case 'conv':
    case 'windowconv':
      add(
        'Conv',
        [input, ...tensorNames(layer)],
        name,
        ...windowAttributes(windowOf(layer)),
        integerAttribute('group', layer.type === 'conv' ? 1 : layer.groups),
      );
      break;
    case 'maxpool':
      add('MaxPool', inputs, name, ...windowAttributes(HALVING));
      break;
    case 'windowpool':
      // Windows that reach over the edge have what they need as padding: no ceil_mode.
      if (layer.of === 'max') add('MaxPool', inputs, name, ...windowAttributes(layer.window));
      else {
        const counts = integerAttribute('count_include_pad', Number(layer.countsPadding));
        add('AveragePool', inputs, name, ...windowAttributes(layer.window), counts);
      }
      break;
    case 'globalavgpool':
      add('GlobalAveragePool', inputs, name);
      break;
    case 'add':
      add('Add', inputs, name);
      break;
    case 'multiply':
      add('Mul', inputs, name);
      break;
    case 'concat':
      add('Concat', inputs, name, integerAttribute('axis', 1));
      break;
    case 'linear': {
      const flattened = flat.has(input) ? input : `input of ${layer.name}`;
      if (flattened !== input) add('Flatten', [input], flattened, integerAttribute('axis', 1));
      // Weights are [outFeatures, inFeatures].
      add('Gemm', [flattened, ...tensorNames(layer)], name, integerAttribute('transB', 1));
    }
  }
}

/** An activation by its code, of a value of any shape. */
function activate(add: Add, code: number, input: string, name: string): void {
  if (code === RELU) add('Relu', [input], name);
  else if (code > 0) add('LeakyRelu', [input], name, floatAttribute('alpha', code));
  else if (code === SIGMOID) add('Sigmoid', [input], name);
  else if (code === HARD_SWISH) add('HardSwish', [input], name);
  else if (code === HARD_SIGMOID) {
    const slope = floatAttribute('alpha', 1 / 6);
    add('HardSigmoid', [input], name, slope, floatAttribute('beta', 0.5));
  } else if (code === SILU) {
    add('Sigmoid', [input], `sigmoid of ${name}`);
    add('Mul', [input, `sigmoid of ${name}`], name);
  } else {
    const [floor, ceiling] = [`floor of ${name}`, `ceiling of ${name}`];
    add('Constant', [], floor, floatAttribute('value_float', 0));
    add('Constant', [], ceiling, floatAttribute('value_float', -code));
    add('Clip', [input, floor, ceiling], name);
  }
}

function windowAttributes({ kernel, stride, padding }: Window): Fields[] {
  return [
    integersAttribute('kernel_shape', kernel),
    integersAttribute('strides', stride),
    integersAttribute('pads', padding),
  ];
}

/** AttributeProto; field 20 is its type. */
function integerAttribute(name: string, value: number): Fields {
  return message(text(1, name), integer(3, value), integer(20, 2));
}

function floatAttribute(name: string, value: number): Fields {
  return message(text(1, name), float(2, value), integer(20, 1));
}

function integersAttribute(name: string, values: readonly number[]): Fields {
  return message(text(1, name), ...values.map((value) => integer(8, value)), integer(20, 7));
}

/** TensorProto */
function initialiser({ name, shape, offset, bytes }: ExternalTensor): Fields {
  const entry = (key: string, value: string | number): Fields =>
    nested(13, text(1, key), text(2, String(value)));
  return message(
    ...shape.map((size) => integer(1, size)),
    integer(2, FLOAT),
    text(8, name),
    entry('location', WEIGHTS_FILE),
    entry('offset', offset),
    entry('length', bytes),
    integer(14, EXTERNAL),
  );
}

/** ValueInfoProto of a tensor of floats. */
function valueInfo(name: string, shape: readonly number[]): Fields {
  const dimensions = shape.map((size) => nested(1, integer(1, size)));
  return message(text(1, name), nested(2, nested(1, integer(1, FLOAT), nested(2, ...dimensions))));
}
