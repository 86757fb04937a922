/** A model so small that an explanation takes no time, and an image for it. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PNG } from 'pngjs';

/**
 * A network whose channels are the image's red, green and blue, and nothing; whose classes are how much
 * there is of each colour. `changes` replaces members of the manifest. Returns the folder.
 */
export function writeToyModel(target: string, changes: object = {}): string {
  const conv = new Float32Array(4 * 3 * 9);
  const linear = new Float32Array(3 * 4 * 16);
  for (let c = 0; c < 3; c++) {
    conv[c * 27 + c * 9 + 4] = 1;
    linear.fill(0.5, c * 64 + c * 16, c * 64 + (c + 1) * 16);
  }
  const tensors = {
    'conv1.weight': { shape: [4, 3, 3, 3], data: conv },
    'conv1.bias': { shape: [4], data: new Float32Array(4) },
    'fc.weight': { shape: [3, 64], data: linear },
    'fc.bias': { shape: [3], data: new Float32Array(3) },
  };
  let end = 0;
  const header = Object.entries(tensors).map(([name, { shape, data }]) => {
    const begin = end;
    end += data.byteLength;
    return [name, { dtype: 'F32', shape, data_offsets: [begin, end] }];
  });
  const json = Buffer.from(JSON.stringify(Object.fromEntries(header)));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  const bodies = Object.values(tensors).map(({ data }) => Buffer.from(data.buffer));
  mkdirSync(target, { recursive: true });
  writeFileSync(join(target, 'model.safetensors'), Buffer.concat([length, json, ...bodies]));
  const manifest = {
    format: 'score-cam-webgpu/model',
    version: 1,
    name: 'toy',
    description: 'Tells colours apart.',
    licence: 'MIT',
    input: { width: 8, height: 8, mean: [0, 0, 0], std: [1, 1, 1], resize: 'stretch' },
    layers: [
      {
        type: 'conv',
        name: 'conv1',
        outChannels: 4,
        kernel: 3,
        activation: 'relu',
        weight: 'conv1.weight',
        bias: 'conv1.bias',
      },
      { type: 'maxpool', name: 'pool1' },
      { type: 'linear', name: 'fc', outFeatures: 3, weight: 'fc.weight', bias: 'fc.bias' },
    ],
    targetLayer: 'conv1',
    labels: ['red', 'green, like grass', 'blue'],
    weights: { format: 'safetensors', file: 'model.safetensors' },
    ...changes,
  };
  writeFileSync(join(target, 'manifest.json'), JSON.stringify(manifest));
  return target;
}

/** 8x8: columns of red, five unless said, and the others of blue. */
export function redAndBlue(red = 5): Buffer {
  const png = new PNG({ width: 8, height: 8 });
  for (let i = 0; i < 64; i++)
    png.data.set(i % 8 < red ? [255, 0, 0, 255] : [0, 0, 255, 255], 4 * i);
  return PNG.sync.write(png);
}
