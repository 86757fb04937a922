/** test/fixtures/onnx: small networks as exporters write them, and what PyTorch computes (export.py there). */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../../cli/server';
import { ScoreCamError } from '../../src/errors';
import { type ByteSource, memorySource, type OpenSibling } from '../../src/model/bytes/byte-source';
import { numbered } from '../../src/model/foreign';
import { type OnnxModel, type OnnxOptions, readOnnx } from '../../src/model/formats/onnx/read';
import { buildGraph } from '../../src/model/graph/network';
import type { Network } from '../../src/model/network';

const folder = join(projectRoot, 'test/fixtures/onnx');

export const onnxNames = readdirSync(folder)
  .filter((file) => file.endsWith('.onnx'))
  .map((file) => file.slice(0, -5));

/** Names of files to their bytes: a model, and the files beside it. */
export type Folder = ReadonlyMap<string, Uint8Array<ArrayBuffer>>;

export const onnxFolder: Folder = new Map(
  readdirSync(folder)
    .filter((file) => /\.(onnx|bin)$/.test(file))
    .map((file) => [file, new Uint8Array(readFileSync(join(folder, file)))]),
);

export const onnxLogits = JSON.parse(readFileSync(join(folder, 'logits.json'), 'utf8')) as Readonly<
  Record<string, { readonly size: [height: number, width: number]; readonly logits: number[] }>
>;

/** The image that PyTorch was given. */
export function onnxImage(height: number, width: number): Float32Array {
  return Float32Array.from(
    { length: 3 * height * width },
    (_, i) => (((i * 7919) % 1009) / 1009) * 2 - 1,
  );
}

export function folderOpener(files: Folder): OpenSibling {
  return async (path) => {
    const bytes = files.get(path);
    if (bytes) return memorySource(path, bytes);
    throw new ScoreCamError('weights', `The file "${path}" was not given.`);
  };
}

export interface OpenedOnnx {
  readonly model: OnnxModel;
  readonly network: Network;
}

export async function openOnnx(
  file: ByteSource,
  sibling: OpenSibling,
  options?: OnnxOptions,
): Promise<OpenedOnnx> {
  const model = await readOnnx(file, sibling, options);
  return { model, network: networkOf(model) };
}

/** The network of what was read, with labels of no meaning. */
export function networkOf({ layers, input, targetLayer, classes }: OnnxModel): Network {
  return buildGraph({
    version: 2,
    format: 'score-cam-webgpu/model',
    name: 'onnx',
    description: '',
    licence: '',
    input: { ...input, mean: [0, 0, 0], std: [1, 1, 1], resize: 'stretch' },
    targetLayer,
    labels: numbered(classes, 'file.onnx'),
    weights: { format: 'onnx', file: 'file.onnx' },
    layers,
  });
}

/** One of the fixtures; those with an open size get that of their image. */
export async function openFixture(name: string): Promise<OpenedOnnx> {
  const file = `${name}.onnx`;
  const [height, width] = onnxLogits[name]?.size ?? [0, 0];
  const bytes = onnxFolder.get(file) as Uint8Array<ArrayBuffer>;
  return openOnnx(memorySource(file, bytes), folderOpener(onnxFolder), { size: { height, width } });
}
