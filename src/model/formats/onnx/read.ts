import { ScoreCamError } from '../../../errors';
import type { ByteSource, OpenSibling } from '../../bytes/byte-source';
import type { GraphManifestLayer } from '../../graph/manifest';
import type { WeightSource } from '../../weight-source';

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
  _sibling: OpenSibling,
  _options: OnnxOptions = {},
): Promise<OnnxModel> {
  throw new ScoreCamError('network', `${file.name}: ONNX files cannot be read yet.`);
}
