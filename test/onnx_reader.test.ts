/** What the reader of ONNX files makes of nodes, how it reads weights, and what it refuses. */
import { describe, expect, it } from 'vitest';
import { externalData, onnxModel, WEIGHTS_FILE } from '../bench/peers/onnx';
import { LONGEST_MESSAGE, ScoreCamError } from '../src/errors';
import { type ByteSource, memorySource } from '../src/model/bytes/byte-source';
import { numbered } from '../src/model/foreign';
import { type OnnxModel, type OnnxOptions, readOnnx } from '../src/model/formats/onnx/read';
import { elementCount } from '../src/model/weight-source';
import { testValues } from './harness/compare';
import {
  folderOpener,
  networkOf,
  onnxFolder,
  onnxImage,
  openFixture,
  openOnnx,
} from './harness/onnx-fixtures';
import { node, type WrittenModel, type WrittenTensor, writeOnnx } from './harness/onnx-writer';
import { smallLayers, smallModel } from './harness/small-model';
import { graphForward, logitsOf } from './reference/graph';

const nothing = folderOpener(new Map());

const read = (written: WrittenModel, options?: OnnxOptions): Promise<OnnxModel> =>
  readOnnx(memorySource('my.onnx', writeOnnx(written)), nothing, options);

/** `conv1 = conv(image) relu6 +batchNorm` */
function described({ layers }: OnnxModel): string[] {
  return layers.map((layer) => {
    const activation = 'activation' in layer && layer.activation;
    const norm = 'batchNorm' in layer && layer.batchNorm ? ' +batchNorm' : '';
    const bends = activation
      ? ` ${typeof activation === 'string' ? activation : JSON.stringify(activation)}`
      : '';
    return `${layer.name} = ${layer.type}(${layer.inputs?.join(', ')})${bends}${norm}`;
  });
}

async function logits({
  network,
  model,
}: Awaited<ReturnType<typeof openOnnx>>): Promise<Float64Array> {
  const { height, width } = model.input;
  return logitsOf(network, await graphForward(network, model.weights, onnxImage(height, width)));
}

const ofWeights = (name: string, ...shape: number[]): WrittenTensor => ({
  name,
  shape,
  values: [...testValues(elementCount(shape), name.length)],
});

const CONV = [node('Conv', 'x w', 'c', { kernel_shape: [3, 3] })];
const POOL = [node('GlobalAveragePool', 'c', 'g'), node('Flatten', 'g', 'y')];
const W = ofWeights('w', 4, 3, 3, 3);
const pads = { name: 'pads', shape: [8], integers: [0, 0, 1, 1, 0, 0, 1, 1] };

describe('nodes', () => {
  it('that a layer computes on its way become part of it', async () => {
    const { model } = await openFixture('resnet_bn');
    expect(described(model).slice(0, 9)).toEqual([
      '/conv1/Conv = conv(image) relu +batchNorm',
      '/maxpool/MaxPool = maxpool(/conv1/Conv)',
      '/layers/layers.0/conv1/Conv = conv(/maxpool/MaxPool) relu +batchNorm',
      '/layers/layers.0/conv2/Conv = conv(/layers/layers.0/conv1/Conv) +batchNorm',
      '/layers/layers.0/Add = add(/layers/layers.0/conv2/Conv, /maxpool/MaxPool) relu',
      '/layers/layers.1/conv1/Conv = conv(/layers/layers.0/Add) relu +batchNorm',
      '/layers/layers.1/conv2/Conv = conv(/layers/layers.1/conv1/Conv) +batchNorm',
      '/layers/layers.1/downsample/downsample.0/Conv = conv(/layers/layers.0/Add) +batchNorm',
      '/layers/layers.1/Add = add(/layers/layers.1/conv2/Conv, /layers/layers.1/downsample/downsample.0/Conv) relu',
    ]);
    expect(model.targetLayer).toBe('/layers/layers.2/Add');
  });

  it.each([
    ['mobilenet_v3', 'hardswish'],
    ['efficientnet', 'silu'],
  ])('of %s leave no activation alone, and gates are hard sigmoids', async (name, activation) => {
    const { model } = await openFixture(name);
    const all = described(model);
    expect(all.filter((line) => line.includes('= activation('))).toEqual([]);
    expect(all.filter((line) => line.endsWith(` ${activation}`))).toHaveLength(8);
    expect(all.filter((line) => line.endsWith(' hardsigmoid'))).toHaveLength(3);
    expect(all.filter((line) => line.includes('= multiply('))).toHaveLength(3);
  });

  it('that normalise what was concatenated stay layers of their own', async () => {
    const { model } = await openFixture('densenet');
    expect(described(model).slice(0, 6)).toEqual([
      '/0/Conv = conv(image) relu +batchNorm',
      '/3/MaxPool = maxpool(/0/Conv)',
      '/4/norm1/BatchNormalization = scale(/3/MaxPool) relu +batchNorm',
      '/4/conv1/Conv = conv(/4/norm1/BatchNormalization) relu +batchNorm',
      '/4/conv2/Conv = conv(/4/conv1/Conv)',
      '/4/Concat = concat(/3/MaxPool, /4/conv2/Conv)',
    ]);
  });

  it('of a Keras model are recognised: hard swish in pieces, SAME padding, channels last', async () => {
    const { model } = await openFixture('keras_nhwc');
    expect(described(model)).toEqual([
      'conv1 = conv(image) relu6 +batchNorm',
      'c2 = conv(conv1) hardswish',
      'conv3 = conv(c2) relu',
      'm = linear(conv3)',
    ]);
    expect(model.layers[0]).toMatchObject({ stride: [2, 2], padding: [1, 0, 1, 1] });
  });

  it('that nobody reads are left out', async () => {
    const model = await read({
      nodes: [...CONV, node('Conv', 'x w', 'unread'), node('Erf', 'c', 'unknown'), ...POOL],
      tensors: [W],
    });
    expect(described(model)).toEqual(['the c = conv(image)', 'the g = globalavgpool(the c)']);
    expect([...model.weights.tensors.keys()]).toEqual(['w']);
  });

  it('are activated alone where others read what is before the activation', async () => {
    const model = await read({
      nodes: [
        ...CONV,
        node('Relu', 'c', 'r'),
        node('Add', 'c r', 's'),
        node('GlobalAveragePool', 's', 'y'),
      ],
      tensors: [W],
    });
    expect(described(model)).toEqual([
      'the c = conv(image)',
      'the r = activation(the c) relu',
      'the s = add(the c, the r)',
      'the y = globalavgpool(the s)',
    ]);
  });

  it('are called apart where their names are one', async () => {
    const same = { name: 'image' };
    const model = await read({
      nodes: [
        ...CONV.map((one) => ({ ...one, ...same })),
        { ...node('Relu', 'c', 'r'), ...same },
        { ...node('MaxPool', 'r', 'p', { kernel_shape: [2, 2] }), ...same },
        node('GlobalAveragePool', 'p', 'y'),
      ],
      tensors: [W],
    });
    expect(model.layers.map(({ name }) => name)).toEqual(['image (2)', 'image (3)', 'the y']);
    networkOf(model);
  });

  it('turned to channels last and back, and passed on, change nothing', async () => {
    const plain = {
      nodes: [
        ...CONV,
        node('Relu', 'c', 'r'),
        node('MaxPool', 'r', 'p', { kernel_shape: [2, 2], strides: [2, 2] }),
        node('Flatten', 'p', 'f'),
        node('Gemm', 'f v', 'y'),
      ],
      tensors: [W, ofWeights('v', 36, 5)],
    };
    const around = (name: string, to: string) => [
      node('Transpose', name, `${to}1`, { perm: [0, 2, 3, 1] }),
      node('Identity', `${to}1`, `${to}2`),
      node('Transpose', `${to}2`, to, { perm: [0, 3, 1, 2] }),
    ];
    const [conv, relu, pool, flatten, gemm] = plain.nodes;
    if (!conv || !relu || !pool || !flatten || !gemm) throw new Error('five nodes');
    const nodes = [
      ...around('x', 'xx'),
      { ...conv, inputs: ['xx', 'w'] },
      ...around('c', 'cc'),
      { ...relu, inputs: ['cc'] },
      ...around('r', 'rr'),
      { ...pool, inputs: ['rr'] },
      ...around('p', 'pp'),
      { ...flatten, inputs: ['pp'] },
      gemm,
    ];
    const open = (written: WrittenModel) =>
      openOnnx(memorySource('my.onnx', writeOnnx(written)), nothing);
    const [one, other] = [await open(plain), await open({ ...plain, nodes })];
    expect(other.model.layers).toEqual(one.model.layers);
    expect(await logits(other)).toEqual(await logits(one));
  });
});

describe('files of the benchmark’s writer', () => {
  it.each([
    ['a small network', smallModel()],
    ['one with global average pooling', smallModel({ layers: smallLayers.poolingHead })],
  ])('of %s are read as the network that was written', async (_, { network, weights }) => {
    const bytes = onnxModel(network).slice();
    const files = new Map([[WEIGHTS_FILE, (await externalData(network, weights)).slice()]]);
    const opened = await openOnnx(memorySource('model.onnx', bytes), folderOpener(files));
    expect(opened.network.layers.map(({ type, output }) => ({ type, output }))).toEqual(
      network.layers.map(({ type, output }) => ({ type, output })),
    );
    expect(opened.model.classes).toBe(network.labels.length);
    for (const [name, { shape }] of opened.model.weights.tensors) {
      const count = elementCount(shape);
      expect(await opened.model.weights.read(name, 0, count)).toEqual(
        await weights.read(name, 0, count),
      );
    }
  });
});

describe('weights', () => {
  it('stay in the file until they are asked for', async () => {
    const bytes = writeOnnx({
      nodes: [
        ...CONV,
        node('GlobalAveragePool', 'c', 'g'),
        node('Flatten', 'g', 'f'),
        node('Gemm', 'f v', 'y'),
      ],
      tensors: [W, { name: 'v', shape: [4, 250_000] }],
    });
    let total = 0;
    const memory = memorySource('my.onnx', bytes);
    const counted: ByteSource = {
      ...memory,
      read(start, length) {
        total += length;
        return memory.read(start, length);
      },
    };
    const { weights } = await readOnnx(counted, nothing);
    expect(bytes.length).toBeGreaterThan(4_000_000);
    expect(total).toBeLessThan(200_000);
    total = 0;
    expect(await weights.read('w', 0, 108)).toEqual(Float32Array.from(W.values as number[]));
    expect(total).toBe(4 * 108);
  });

  it('are read in one pass over the file behind the one for its structure', async () => {
    const bytes = onnxFolder.get('mobilenet_v2.onnx') as Uint8Array<ArrayBuffer>;
    let [end, turns] = [0, 0];
    const memory = memorySource('my.onnx', bytes);
    const followed: ByteSource = {
      ...memory,
      read(start, length) {
        if (start < end) turns++;
        end = start + length;
        return memory.read(start, length);
      },
    };
    const { weights } = await readOnnx(followed, nothing);
    expect(turns).toBe(0);
    for (const [name, { shape }] of weights.tensors)
      await weights.read(name, 0, elementCount(shape));
    expect(turns).toBe(1);
  });

  it.each([
    ['that are kept once they are turned', 900],
    ['too large to be kept', 4100],
  ])('[in, out], %s, are handed out as [out, in]', async (_, side) => {
    const value = (i: number): number => i % 9973;
    const file: ByteSource = {
      name: 'big.bin',
      size: 4 * side * side,
      async read(start, length) {
        const first = start / 4;
        return new Uint8Array(
          Float32Array.from({ length: length / 4 }, (_, i) => value(first + i)).buffer,
        );
      },
    };
    const bytes = writeOnnx({
      nodes: [
        ...CONV,
        node('GlobalAveragePool', 'c', 'g'),
        node('Flatten', 'g', 'f'),
        node('MatMul', 'f v', 'y'),
      ],
      tensors: [
        ofWeights('w', side, 3, 3, 3),
        { name: 'v', shape: [side, side], external: { location: 'big.bin' } },
      ],
    });
    const { weights } = await readOnnx(memorySource('my.onnx', bytes), async () => file);
    const [row, from] = [side - 2, 7];
    const part = await weights.read('v', row * side + from, 20);
    expect([...part]).toEqual(Array.from({ length: 20 }, (_, i) => value((from + i) * side + row)));
    const [last] = await weights.read('v', side * side - 1, 1);
    expect(last).toBe(value(side * side - 1));
  });

  it.each([
    [
      'beyond the end',
      { location: 'w.bin', offset: '8' },
      /tensor "w" .* 432 .* from 8 on of the 432/,
    ],
    ['of another length', { location: 'w.bin', length: '400' }, /400 from 0/],
    ['in another folder', { location: '../w.bin' }, /"\.\.\/w\.bin"/],
    ['in a file that is not there', { location: 'v.bin' }, /"v\.bin" was not given/],
    ['at no number', { location: 'w.bin', offset: '-1' }, /"-1" as its offset/],
  ])('%s of a file beside it are refused', async (_, external, message) => {
    const bytes = writeOnnx({
      nodes: [...CONV, ...POOL],
      tensors: [{ name: 'w', shape: [4, 3, 3, 3], external }],
    });
    const files = folderOpener(new Map([['w.bin', new Uint8Array(432)]]));
    const opened = readOnnx(memorySource('my.onnx', bytes), files).then(({ weights }) =>
      weights.read('w', 0, 108),
    );
    await expect(opened).rejects.toThrow(message);
    await expect(opened).rejects.toMatchObject({ code: 'weights' });
  });
});

const padded = [...CONV, node('Pad', 'c pads', 'p')];
const matrix = ofWeights('v', 4, 5);

describe('files that ask for much', () => {
  const chain = (
    count: number,
    each: (from: string, to: string) => WrittenModel['nodes'][number],
  ) =>
    Array.from({ length: count }, (_, i) => ({ ...each(`v${i}`, `v${i + 1}`), name: 'one name' }));
  const around = (nodes: WrittenModel['nodes'], count: number) => [
    node('Conv', 'x w', 'v0'),
    ...nodes,
    node('GlobalAveragePool', `v${count}`, 'y'),
  ];

  it('are read in time: sums of sums, and names that are all one', async () => {
    const nodes = around(
      chain(4000, (from, to) => node('Add', `${from} ${from}`, to)),
      4000,
    );
    nodes.splice(
      -1,
      0,
      node('Pad', 'v4000 pads', 'p'),
      node('MaxPool', 'p', 'm', { kernel_shape: [2, 2] }),
    );
    nodes.splice(-1, 1, node('GlobalAveragePool', 'm', 'y'));
    await expect(read({ nodes, tensors: [W, pads] })).rejects.toThrow('could be maxima');
    const { layers } = await read({ nodes: around(nodes.slice(1, 4001), 4000), tensors: [W] });
    expect(new Set(layers.map(({ name }) => name)).size).toBe(4002);
  });

  it('are refused where they compute more than is possible', async () => {
    const many = { name: 'many', shape: [4096] };
    const nodes = [
      node('Identity', 'many', 'v0'),
      ...chain(1100, (from, to) => node('Add', `${from} many`, to)),
      node('Mul', 'x v1100', 'y'),
    ];
    await expect(read({ nodes, tensors: [many] })).rejects.toThrow('compute 4194304 constants');
  });
});

describe('classes without names', () => {
  it('are numbered, but not as many as a damaged file may claim', () => {
    expect(numbered(2, 'a.onnx')).toEqual(['class 0', 'class 1']);
    for (const classes of [2 ** 20 + 1, 2 ** 40]) {
      expect(() => numbered(classes, 'a.onnx')).toThrow(
        `a.onnx has ${classes} classes; supported are up to 1048576.`,
      );
    }
  });
});

describe('what is not supported is refused by node, operator and what is', () => {
  it.each<[string, WrittenModel, RegExp]>([
    [
      'an unknown operator',
      { nodes: [...CONV, node('Erf', 'c', 'y')] },
      /node "the y" is an Erf.* not supported.*Conv.*Relu/,
    ],
    [
      'another domain',
      { nodes: [{ ...node('Gelu', 'x', 'y'), domain: 'com.microsoft' }] },
      /"the y" is a Gelu of "com.microsoft"/,
    ],
    ['an old opset', { nodes: [...CONV, ...POOL], opset: 6 }, /opset 6; supported are 7 to 21/],
    ['a new opset', { nodes: [...CONV, ...POOL], opset: 22 }, /opset 22/],
    [
      'two inputs',
      { nodes: [...CONV, ...POOL], inputs: ['x', 'z'] },
      /2 inputs \("x", "z"\); supported is one/,
    ],
    ['two outputs', { nodes: [...CONV, ...POOL], outputs: ['y', 'c'] }, /2 outputs/],
    [
      'a batch',
      { nodes: [...CONV, ...POOL], shape: [2, 3, 8, 8] },
      /\[2, 3, 8, 8\]; supported is one image at a time/,
    ],
    ['grey images', { nodes: [...CONV, ...POOL], shape: [1, 1, 8, 8] }, /\[1, 1, 8, 8\]/],
    [
      'an open size',
      { nodes: [...CONV, ...POOL], shape: [0, 3, 0, 0] },
      /give the option size, or export it with fixed/,
    ],
    ['bytes', { nodes: [...CONV, ...POOL], inputType: 2 }, /of the type 2/],
    [
      'maps as output',
      { nodes: [node('Conv', 'x w', 'y')] },
      /gives 4x6x6 as "y"; supported are classifiers/,
    ],
    [
      'dilation',
      { nodes: [node('Conv', 'x w', 'c', { dilations: [2, 2] }), ...POOL] },
      /"the c" \(Conv\) has dilations 2, 2; supported are/,
    ],
    [
      'an unknown attribute',
      { nodes: [node('Conv', 'x w', 'c', { fancy: 1 }), ...POOL] },
      /"fancy"; supported are group/,
    ],
    [
      'a stride of 5',
      { nodes: [node('Conv', 'x w', 'c', { strides: [5, 5] }), ...POOL] },
      /strides 5, 5; supported are 2 numbers from 1 to 4/,
    ],
    [
      'groups that do not fit',
      { nodes: [node('Conv', 'x w', 'c', { group: 3 }), ...POOL] },
      /weights 4x3x3x3 in 3 groups/,
    ],
    [
      'windows that are too large',
      { nodes: [...CONV, node('MaxPool', 'c', 'y', { kernel_shape: [7, 7] })] },
      /windows are larger/,
    ],
    [
      'mixed channels',
      {
        nodes: [...CONV, node('Reshape', 'c shape', 'r')].concat(node('Relu', 'r', 'y')),
        tensors: [W, { name: 'shape', shape: [5], integers: [1, 2, 2, 6, 6] }],
      },
      /reshapes \[1, 4, 6, 6\]/,
    ],
    [
      'padding before what may be negative',
      { nodes: [...padded, node('MaxPool', 'p', 'y', { kernel_shape: [2, 2] })] },
      /padded with zeros, which could be maxima/,
    ],
    [
      'padding before anything else',
      { nodes: [...padded, node('Relu', 'p', 'y')] },
      /Relu\) reads what is padded/,
    ],
    [
      'a softmax in the middle',
      {
        nodes: [
          ...CONV,
          node('GlobalAveragePool', 'c', 'g'),
          node('Softmax', 'g', 's', { axis: 1 }),
          node('Relu', 's', 'y'),
        ],
      },
      /behind a Softmax/,
    ],
    [
      'a softmax over space',
      { nodes: [...CONV, node('Softmax', 'c', 'y', { axis: 2 })] },
      /over axis 2/,
    ],
    [
      'a clip that begins above 0',
      { nodes: [...CONV, node('Clip', 'c', 'y', { min: { float: 1 }, max: { float: 2 } })] },
      /clips to 1 ... 2/,
    ],
    [
      'gates by pixel',
      {
        nodes: [...CONV, node('Conv', 'x one', 'o'), node('Mul', 'c o', 'y')],
        tensors: [W, ofWeights('one', 1, 3, 3, 3)],
      },
      /two of one shape, or one and a factor/,
    ],
    [
      'turned features',
      {
        nodes: [
          ...CONV,
          node('GlobalAveragePool', 'c', 'g'),
          node('Flatten', 'g', 'f'),
          node('Gemm', 'f v', 'y', { transA: 1 }),
        ],
        tensors: [W, matrix],
      },
      /transA 1; supported is 0/,
    ],
    [
      'a matrix of another size',
      {
        nodes: [...CONV, node('Flatten', 'c', 'f'), node('Gemm', 'f v', 'y')],
        tensors: [W, matrix],
      },
      /by a matrix 4x5/,
    ],
    [
      'a gate by a matrix over too much',
      {
        nodes: [
          ...CONV,
          node('Flatten', 'c', 'f'),
          node('Gemm', 'f v', 'g'),
          node('Reshape', 'g shape', 'r'),
          node('Mul', 'c r', 'm'),
          node('GlobalAveragePool', 'm', 'y'),
        ],
        shape: [1, 3, 14, 14],
        tensors: [W, ofWeights('v', 576, 4), { name: 'shape', shape: [4], integers: [1, 4, 1, 1] }],
      },
      /a matrix, "the g", over 12x12/,
    ],
    ['a name that is not there', { nodes: [node('Conv', 'x v', 'y')] }, /reads "v", which no node/],
    [
      'normalising in training',
      {
        nodes: [...CONV, node('BatchNormalization', 'c b b b b', 'y', { training_mode: 1 })],
        tensors: [W, ofWeights('b', 4)],
      },
      /training_mode 1/,
    ],
  ])('%s', async (_, written, message) => {
    const opened = read({ tensors: [W, pads], ...written });
    await expect(opened).rejects.toThrow(message);
    await expect(opened).rejects.toBeInstanceOf(ScoreCamError);
    await expect(opened).rejects.toMatchObject({ code: 'network' });
    const said = await opened.then(String, (error: Error) => error.message);
    expect(said.length).toBeLessThanOrEqual(LONGEST_MESSAGE);
    expect(said).toContain('my.onnx');
  });

  it.each<[string, WrittenTensor, RegExp]>([
    [
      'integers as weights',
      { ...W, type: 3, values: new Uint8Array(108) },
      /type 3\): weights must be FLOAT/,
    ],
    ['bytes that are missing', { ...W, values: [1, 2, 3] }, /it has 12 bytes/],
    ['a shape beyond all bounds', { ...W, shape: [2 ** 30, 2 ** 30, 3, 3] }, /shape that is none/],
  ])('%s', async (_, tensor, message) => {
    const opened = read({ nodes: [...CONV, ...POOL], tensors: [tensor] });
    await expect(opened).rejects.toThrow(message);
    await expect(opened).rejects.toMatchObject({ code: 'weights' });
  });

  it('a size that is not the file’s', async () => {
    const written = { nodes: [...CONV, ...POOL], tensors: [W] };
    await expect(read(written, { size: { height: 9, width: 8 } })).rejects.toThrow(
      'the option size says 9x8',
    );
    const open = { ...written, shape: [0, 3, 0, 0] };
    const { input } = await read(open, { size: { height: 9, width: 7 } });
    expect(input).toEqual({ height: 9, width: 7 });
  });

  it.each([
    ['nothing', new Uint8Array(0), /has no graph/],
    ['text', new TextEncoder().encode('no protobuf at all'), /is no ONNX file, or damaged/],
    ['a number without end', new Uint8Array(40).fill(0x80), /no end/],
    [
      'a length without bytes',
      Uint8Array.of(0x3a, 0xff, 0xff, 0xff, 0x7f),
      /claims 268435455 bytes/,
    ],
    [
      'more fields than there are',
      new Uint8Array(600_000).map((_, i) => (i % 2 ? 0 : 0x18)),
      /more than 262144 fields/,
    ],
  ])('%s is no ONNX file', async (_, bytes, message) => {
    const opened = readOnnx(memorySource('my.onnx', bytes), nothing);
    await expect(opened).rejects.toThrow(message);
    await expect(opened).rejects.toMatchObject({ code: 'weights' });
  });
});
