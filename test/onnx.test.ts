/**
 * The ONNX models that onnxruntime-web is measured with: read back by a reader that shares nothing with the
 * writer, field by field, and run by onnxruntime-web itself where its package is installed.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { externalData, externalTensors, onnxModel, WEIGHTS_FILE } from '../bench/peers/onnx';
import { type Ort, onnxRunner } from '../bench/peers/onnxruntime';
import { float, integer, message, nested, text } from '../bench/peers/protobuf';
import { projectRoot } from '../cli/server';
import { memorySource } from '../src/model/bytes/byte-source';
import type { Model } from '../src/model/model';
import { isWeighted, sizeOf, weightShape } from '../src/model/network';
import { seededVgg } from '../src/model/seeded-vgg';
import { elementCount } from '../src/model/weight-source';
import { assertClose, sumTolerance, testValues } from './harness/compare';
import { narrowNetwork, narrowWeights } from './harness/narrow-vgg';
import { folderOpener, openOnnx } from './harness/onnx-fixtures';
import { type ReadMessage, readMessage } from './harness/protobuf-reader';
import { type SmallGraphName, smallGraph, smallGraphs } from './harness/small-graph';
import { smallLayers, smallModel } from './harness/small-model';
import { graphForward, logitsOf } from './reference/graph';

describe('protobuf', () => {
  // Examples of https://protobuf.dev/programming-guides/encoding
  it('writes integers, strings and messages as the specification shows them', () => {
    expect([...integer(1, 150)]).toEqual([0x08, 0x96, 0x01]);
    expect([...text(2, 'testing')]).toEqual([0x12, 7, ...Buffer.from('testing')]);
    expect([...nested(3, integer(1, 150))]).toEqual([0x1a, 3, 0x08, 0x96, 0x01]);
    expect([...float(2, 0.5)]).toEqual([0x15, 0, 0, 0, 0x3f]);
  });

  it.each([0, 1, 127, 128, 16383, 16384, 2 ** 31, 2 ** 32, 2 ** 40 + 5, Number.MAX_SAFE_INTEGER])(
    'keeps %s and a field number of two bytes',
    (value) => {
      expect(readMessage(message(integer(20, value))).get(20)).toEqual([BigInt(value)]);
    },
  );

  it.each([-1, 0.5, 2 ** 53, Number.NaN])('refuses %s', (value) => {
    expect(() => integer(1, value)).toThrow(String(value));
  });
});

/** Fields of onnx.proto that are used; https://github.com/onnx/onnx/blob/main/onnx/onnx.proto */
const MODEL = { irVersion: 1, producer: 2, graph: 7, opsets: 8 };
const GRAPH = { nodes: 1, name: 2, initialisers: 5, inputs: 11, outputs: 12 };
const NODE = { inputs: 1, outputs: 2, name: 3, operator: 4, attributes: 5 };
const ATTRIBUTE = { name: 1, float: 2, integer: 3, integers: 8, type: 20 };
const TENSOR = { dimensions: 1, dataType: 2, name: 8, external: 13, location: 14 };

const strings = (from: ReadMessage | undefined, field: number): string[] =>
  (from?.get(field) ?? []).map((value) => Buffer.from(value as Uint8Array).toString());
const numbers = (from: ReadMessage | undefined, field: number): number[] =>
  (from?.get(field) ?? []).map(Number);
const messages = (from: ReadMessage | undefined, field: number): ReadMessage[] =>
  (from?.get(field) ?? []).map((value) => readMessage(value as Uint8Array));

/** `kernel_shape=[3,3]`, by what the attribute's type says. */
function attribute(read: ReadMessage): string {
  const [type] = numbers(read, ATTRIBUTE.type);
  const [bytes] = read.get(ATTRIBUTE.float) ?? [];
  const value =
    type === 1
      ? Buffer.from(bytes as Uint8Array).readFloatLE()
      : type === 2
        ? numbers(read, ATTRIBUTE.integer)[0]
        : type === 7
          ? `[${numbers(read, ATTRIBUTE.integers)}]`
          : `type ${type}`;
  return `${strings(read, ATTRIBUTE.name)[0]}=${value}`;
}

/** `out = Conv(in, w, b) pads=[1,1,1,1]` */
function describeNode(node: ReadMessage): string {
  const call = `${strings(node, NODE.operator)}(${strings(node, NODE.inputs).join(', ')})`;
  const attributes = messages(node, NODE.attributes).map(attribute);
  return [`${strings(node, NODE.outputs)} = ${call}`, ...attributes].join(' ');
}

const CONV3 = 'kernel_shape=[3,3] strides=[1,1] pads=[1,1,1,1] group=1';
const HALVES = 'kernel_shape=[2,2] strides=[2,2] pads=[0,0,0,0]';

describe('an ONNX model', () => {
  const { network, weights } = smallModel();
  const model = readMessage(onnxModel(network));
  const [graph] = messages(model, MODEL.graph);

  it('says which version of ONNX it is', () => {
    expect(numbers(model, MODEL.irVersion)).toEqual([7]);
    const [opset] = messages(model, MODEL.opsets);
    expect([strings(opset, 1), numbers(opset, 2)]).toEqual([[''], [14]]);
    expect(strings(graph, GRAPH.name)).toEqual(['small']);
  });

  it('has a node for every layer and activation, in order', () => {
    const before = 'before activation';
    expect(messages(graph, GRAPH.nodes).map(describeNode)).toEqual([
      `conv1 ${before} = Conv(image, conv1.weight, conv1.bias) ${CONV3}`,
      `conv1 = LeakyRelu(conv1 ${before}) alpha=${Math.fround(0.1)}`,
      `pool1 = MaxPool(conv1) ${HALVES}`,
      'conv2 = Conv(pool1, conv2.weight, conv2.bias) kernel_shape=[1,1] strides=[1,1] pads=[0,0,0,0] group=1',
      `conv3 ${before} = Conv(conv2, conv3.weight, conv3.bias) ${CONV3}`,
      `conv3 = Relu(conv3 ${before})`,
      `pool3 = MaxPool(conv3) ${HALVES}`,
      'input of fc1 = Flatten(pool3) axis=1',
      `fc1 ${before} = Gemm(input of fc1, fc1.weight, fc1.bias) transB=1`,
      `fc1 = Relu(fc1 ${before})`,
      `fc2 ${before} = Gemm(fc1, fc2.weight, fc2.bias) transB=1`,
      `fc2 = Relu(fc2 ${before})`,
      'logits = Gemm(fc2, fc3.weight, fc3.bias) transB=1',
    ]);
  });

  it('ends in global average pooling where the network does', () => {
    const pooling = smallModel({ layers: smallLayers.poolingHead });
    const [own] = messages(readMessage(onnxModel(pooling.network)), MODEL.graph);
    expect(messages(own, GRAPH.nodes).slice(-2).map(describeNode)).toEqual([
      'gap = GlobalAveragePool(conv3)',
      'logits = Flatten(gap) axis=1',
    ]);
  });

  it('declares input and output as floats of their shapes', () => {
    const declared = [GRAPH.inputs, GRAPH.outputs].map((field) => {
      const [info] = messages(graph, field);
      const [tensor] = messages(messages(info, 2)[0], 1);
      const sizes = messages(messages(tensor, 2)[0], 1).flatMap((size) => numbers(size, 1));
      return [strings(info, 1)[0], numbers(tensor, 1)[0], sizes];
    });
    expect(declared).toEqual([
      ['image', 1, [1, 3, 14, 17]],
      ['logits', 1, [1, 4]],
    ]);
  });

  it('names each tensor and where it lies in the file of weights', async () => {
    const file = new Float32Array((await externalData(network, weights)).buffer);
    const tensors = messages(graph, GRAPH.initialisers);
    expect(tensors).toHaveLength(12);
    let end = 0;
    for (const tensor of tensors) {
      const [name = ''] = strings(tensor, TENSOR.name);
      const place = Object.fromEntries(
        messages(tensor, TENSOR.external).map((entry) => [strings(entry, 1), strings(entry, 2)[0]]),
      );
      const shape = weights.tensors.get(name)?.shape ?? [];
      const count = shape.reduce((a, b) => a * b, 1);
      expect(numbers(tensor, TENSOR.dimensions)).toEqual(shape);
      expect(numbers(tensor, TENSOR.dataType)).toEqual([1]);
      expect(numbers(tensor, TENSOR.location)).toEqual([1]);
      expect(place).toEqual({
        location: 'weights.bin',
        offset: String(end),
        length: String(4 * count),
      });
      expect(file.subarray(end / 4, end / 4 + count)).toEqual(await weights.read(name, 0, count));
      end += 4 * count;
    }
    expect(file.byteLength).toBe(end);
  });

  it('of VGG-16 takes a few kB beside 553 MB of weights', () => {
    const { network: vgg } = seededVgg(16, 1);
    expect(onnxModel(vgg).length).toBeLessThan(10_000);
    const last = externalTensors(vgg).at(-1);
    expect((last?.offset ?? 0) + (last?.bytes ?? 0)).toBe(4 * 138_357_544);
  });
});

describe('an ONNX model of a network with branches', () => {
  it.each(Object.keys(smallGraphs) as SmallGraphName[])(
    'has the logits of "%s", read by the product and computed by the reference',
    async (name) => {
      const { network, weights } = smallGraph(name);
      const files = new Map([[WEIGHTS_FILE, (await externalData(network, weights)).slice()]]);
      const file = memorySource('model.onnx', onnxModel(network).slice());
      const read = await openOnnx(file, folderOpener(files));
      const image = testValues(sizeOf(network.input), 3);
      const expected = logitsOf(network, await graphForward(network, weights, image));
      const pass = await graphForward(read.network, read.model.weights, image);
      const largest = Math.max(...expected.map(Math.abs));
      // Sums in f64 of weights that are rounded to f32 once more when batch normalisation is folded in: that a few layers
      // after one another err by 2^-24 of their size each, and ceilings and slopes are f32 in the file.
      assertClose('logits', logitsOf(read.network, pass), expected, 1e-6 * largest);
    },
  );
});

const ortFile = join(projectRoot, 'bench/node_modules/onnxruntime-web/dist/ort.node.min.mjs');
const isInstalled = existsSync(ortFile);
const where = isInstalled ? '' : ' (skipped: "npm run bench -- --peers" installs it)';

describe.skipIf(!isInstalled)(`onnxruntime-web${where}`, () => {
  it.each<readonly [string, Pick<Model, 'network' | 'weights'>]>([
    ['a small network', smallModel()],
    ['one with global average pooling', smallModel({ layers: smallLayers.poolingHead })],
    ['a narrow VGG-11', { network: narrowNetwork, weights: narrowWeights }],
    ...(Object.keys(smallGraphs) as SmallGraphName[]).map(
      (name) => [name, smallGraph(name)] as const,
    ),
  ])('computes the logits of %s', async (_, { network, weights }) => {
    const ort = (await import(/* @vite-ignore */ pathToFileURL(ortFile).href)) as Ort;
    ort.env.wasm.numThreads = 1;
    const image = new Float32Array(testValues(sizeOf(network.input), 3));
    const run = await onnxRunner(ort, { network, weights }, 'wasm');
    const expected = logitsOf(network, await graphForward(network, weights, image));
    // Every layer adds the error of its own sums: the textbook's bound for terms that add up to the largest
    // logit. Errors cancel where the bound lets them add up, which pays for terms that add up to more.
    const magnitude = Math.max(...expected.map(Math.abs));
    const tolerance = network.layers.reduce((sum, layer) => {
      if (!isWeighted(layer)) return sum;
      return sum + sumTolerance(elementCount(weightShape(layer).slice(1)), magnitude);
    }, 0);
    assertClose('logits', await run(image), expected, tolerance);
  });
});
