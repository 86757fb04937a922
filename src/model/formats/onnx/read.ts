import { ScoreCamError } from '../../../errors';
import type { ByteSource, OpenSibling } from '../../bytes/byte-source';
import type { GraphManifestLayer } from '../../graph/manifest';
import { IMAGE } from '../../network';
import type { WeightSource } from '../../weight-source';
import type { Draft } from './draft';
import { DOUBLE, FLOAT, FLOAT16, type OnnxGraph, readGraph } from './graph';
import { joinLayers } from './joining';
import { manifestLayers } from './layers';
import { drafted } from './operators';
import { TensorFiles } from './tensors';
import { axes, type MapValue } from './values';
import { Weights } from './weights';

/** A network and its weights, as an ONNX file has them. */
export interface OnnxModel {
  /** In the order of the file's nodes; activations and batch normalisations are part of the layers before them. */
  readonly layers: readonly GraphManifestLayer[];
  /** Of the image, three channels, in pixels. */
  readonly input: { readonly height: number; readonly width: number };
  /** The last activation map before the pooling head. */
  readonly targetLayer: string;
  /** Outputs of the last layer; a softmax behind it is left out. */
  readonly classes: number;
  /** The tensors that the layers name, in the layouts that they ask for. */
  readonly weights: WeightSource;
}

export interface OnnxOptions {
  /** Of the image, in pixels, where the file leaves them open. */
  readonly size?: { readonly height: number; readonly width: number } | undefined;
}

/**
 * Reads a classifier's graph from an ONNX file, opsets 7 to 21; docs/onnx.md has what is supported. Weights stay in the file
 * until they are asked for.
 * @param sibling Opens the files beside it that hold external data.
 * @throws ScoreCamError `network` naming node, operator and what is supported; `weights` naming file, tensor and expectation.
 */
export async function readOnnx(
  file: ByteSource,
  sibling: OpenSibling,
  options: OnnxOptions = {},
): Promise<OnnxModel> {
  const graph = await readGraph(file);
  const files = new TensorFiles(file, sibling);
  const fail = (problem: string): never => {
    throw new ScoreCamError('network', `${file.name} ${problem}`);
  };
  const image = imageOf(graph, options, fail);
  const [output, ...others] = graph.outputs;
  if (output === undefined || others.length > 0) {
    return fail(
      `has ${graph.outputs.length} outputs; supported is one, the logits. Export them alone.`,
    );
  }
  const { drafts, value } = await drafted(graph, files, image, output);
  const { channels, height, width } = value.draft.shape;
  if (height * width !== 1 || value.padding || value.draft === image.draft) {
    fail(
      `gives ${channels}x${height}x${width} as "${output}"; supported are classifiers, which give logits.`,
    );
  }
  const layers = joinLayers(drafts, value.draft, fail).filter((draft) => draft !== image.draft);
  const weights = new Weights(files);
  const manifest = manifestLayers(layers, weights);
  const target = targetOf(layers);
  if (target < 0) fail('has no layer with activation maps: none is larger than 1x1.');
  return {
    layers: manifest,
    input: { height: image.draft.shape.height, width: image.draft.shape.width },
    targetLayer: (manifest[target] as GraphManifestLayer).name,
    classes: channels,
    weights: weights.source(),
  };
}

/** Pixels each way, as in manifests. */
const LARGEST_SIDE = 4096;

/** The input as [1, 3, height, width], or with its channels last. */
function imageOf(
  { inputs }: OnnxGraph,
  { size }: OnnxOptions,
  fail: (problem: string) => never,
): MapValue & { readonly name: string } {
  const [input, second] = inputs;
  if (!input || second) {
    return fail(
      `has ${inputs.length} inputs (${inputs.map(({ name }) => `"${name}"`).join(', ')}); supported is one, the image.`,
    );
  }
  const said = `takes "${input.name}" [${input.shape.map((n) => n ?? 'open').join(', ')}]`;
  if (![FLOAT, FLOAT16, DOUBLE].includes(input.type ?? FLOAT)) {
    fail(`${said} of the type ${input.type} (TensorProto.DataType); supported are floats.`);
  }
  const [batch = 1, second_, third, fourth] = input.shape;
  const isLast = second_ !== 3 && fourth === 3;
  const channels = isLast ? fourth : second_;
  if (input.shape.length !== 4 || batch !== 1 || channels !== 3) {
    fail(
      `${said}; supported is one image at a time, [1, 3, height, width] or [1, height, width, 3].`,
    );
  }
  const known = isLast ? [second_, third] : [third, fourth];
  const [height = size?.height, width = size?.width] = known;
  if (height === undefined || width === undefined) {
    return fail(
      `${said}, of no fixed height and width: give the option size, or export it with fixed ones.`,
    );
  }
  if (size && (size.height !== height || size.width !== width)) {
    fail(`${said}, but the option size says ${size.height}x${size.width}; leave it out.`);
  }
  if (
    ![height, width].every((side) => Number.isInteger(side) && side >= 1 && side <= LARGEST_SIDE)
  ) {
    fail(`${said} of ${height}x${width} pixels; supported are 1 to ${LARGEST_SIDE} each way.`);
  }
  const shape = { channels: 3, height, width };
  const draft: Draft = { name: IMAGE, type: 'image', inputs: [], shape };
  const sides = [axes(shape, 'height'), axes(shape, 'width')];
  const view = isLast
    ? [[], ...sides, axes(shape, 'channels')]
    : [[], axes(shape, 'channels'), ...sides];
  return { kind: 'map', draft, view, name: input.name };
}

/**
 * The last activation map before the pooling head: before the last layer with weights of its own, which is the
 * classifier also where that is a convolution, the last that is larger than 1x1 and no pooling.
 */
function targetOf(layers: readonly Draft[]): number {
  const classifier = layers.findLastIndex(({ type }) => type === 'conv' || type === 'linear');
  const isMap = ({ shape: { height, width } }: Draft): boolean => height * width > 1;
  const before = layers.slice(0, classifier);
  const last = before.findLastIndex(
    (draft) => isMap(draft) && draft.type !== 'maxpool' && draft.type !== 'avgpool',
  );
  return last < 0 ? layers.findLastIndex(isMap) : last;
}
