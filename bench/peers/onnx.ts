import type { Layer, Network } from '../../src/model/network';
import { elementCount, tensorOf, type WeightSource } from '../../src/model/weight-source';
import { type Fields, float, integer, message, nested, text } from './protobuf';

/** Operators as of ONNX 1.10; every runtime of today knows them. */
const OPSET = 13;
const IR_VERSION = 8;
/** TensorProto.DataType */
const FLOAT = 1;
/** TensorProto.DataLocation */
const EXTERNAL = 1;

export const INPUT = 'image';
export const OUTPUT = 'logits';
/** The name under which a model refers to the file of its weights. */
export const WEIGHTS_FILE = 'weights.bin';

/**
 * A network as an ONNX ModelProto: Conv, Relu or LeakyRelu, MaxPool, GlobalAveragePool, Flatten and Gemm,
 * batch 1, f32. The graph is a few kB; the tensors are external data, in the order of
 * {@link externalTensors}, one after the other in {@link WEIGHTS_FILE}. Field numbers are those of
 * https://github.com/onnx/onnx/blob/v1.10.2/onnx/onnx.proto
 */
export function onnxModel(
  network: Network,
  weights: Pick<WeightSource, 'name' | 'tensors'>,
): Fields {
  const { name, input, layers, labels } = network;
  const shape = [1, input.channels, input.height, input.width];
  return message(
    integer(1, IR_VERSION),
    text(2, 'score-cam-webgpu bench'),
    nested(
      7, // graph
      ...nodes(layers),
      text(2, name),
      ...externalTensors(network, weights).map((tensor) => nested(5, initialiser(tensor))),
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
export function externalTensors(
  { layers }: Network,
  weights: Pick<WeightSource, 'name' | 'tensors'>,
): ExternalTensor[] {
  const tensors: ExternalTensor[] = [];
  let offset = 0;
  for (const layer of layers) {
    if (layer.type !== 'conv' && layer.type !== 'linear') continue;
    for (const name of [layer.weight, layer.bias]) {
      const { shape } = tensorOf(weights, name);
      const bytes = 4 * elementCount(shape);
      tensors.push({ name, shape, offset, bytes });
      offset += bytes;
    }
  }
  return tensors;
}

/** The weights file itself. */
export async function externalData(network: Network, weights: WeightSource): Promise<Uint8Array> {
  const tensors = externalTensors(network, weights);
  const last = tensors.at(-1);
  const data = new Float32Array(last ? (last.offset + last.bytes) / 4 : 0);
  for (const { name, offset, bytes } of tensors) {
    data.set(await weights.read(name, 0, bytes / 4), offset / 4);
  }
  return new Uint8Array(data.buffer);
}

/** NodeProtos, each as a field of GraphProto. The values between them are called after layers. */
function nodes(layers: readonly Layer[]): Fields[] {
  const fields: Fields[] = [];
  let current = INPUT;
  let isFlat = false;
  const add = (
    operator: string,
    inputs: readonly string[],
    name: string,
    ...attributes: Fields[]
  ) => {
    fields.push(
      nested(
        1,
        ...[current, ...inputs].map((input) => text(1, input)),
        text(2, name),
        text(3, name),
        text(4, operator),
        ...attributes.map((attribute) => nested(5, attribute)),
      ),
    );
    current = name;
  };
  layers.forEach((layer, i) => {
    const name = i === layers.length - 1 ? OUTPUT : layer.name;
    switch (layer.type) {
      case 'conv': {
        const { kernel } = layer;
        const pad = (kernel - 1) / 2;
        const [before, activation] = activationOf(name, layer.activation);
        add(
          'Conv',
          [layer.weight, layer.bias],
          before,
          integersAttribute('kernel_shape', [kernel, kernel]),
          integersAttribute('pads', [pad, pad, pad, pad]),
        );
        activation?.(add);
        break;
      }
      case 'maxpool':
        add(
          'MaxPool',
          [],
          name,
          integersAttribute('kernel_shape', [2, 2]),
          integersAttribute('strides', [2, 2]),
        );
        break;
      case 'globalavgpool':
        isFlat = true;
        add('GlobalAveragePool', [], `${layer.name} unflattened`);
        add('Flatten', [], name, integerAttribute('axis', 1));
        break;
      case 'linear': {
        if (!isFlat) add('Flatten', [], `input of ${layer.name}`, integerAttribute('axis', 1));
        isFlat = true;
        const [before, activation] = activationOf(name, layer.activation);
        // Weights are [outFeatures, inFeatures].
        add('Gemm', [layer.weight, layer.bias], before, integerAttribute('transB', 1));
        activation?.(add);
      }
    }
  });
  return fields;
}

type Add = (
  operator: string,
  inputs: readonly string[],
  name: string,
  ...attributes: Fields[]
) => void;

/** What a layer's sum is called, given what its activation is to be called, and how to add that one. */
function activationOf(name: string, code: number): [string, ((add: Add) => void) | undefined] {
  if (code === 1) return [name, undefined];
  const before = `${name} before activation`;
  if (code === 0) return [before, (add) => add('Relu', [], name)];
  return [before, (add) => add('LeakyRelu', [], name, floatAttribute('alpha', code))];
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
