import type { OpenSibling } from '../../bytes/byte-source';
import type { JsonObject } from '../json';
import { openTfjs } from '../tfjs';
import { convertKeras, type ForeignNetwork } from './convert';
import { readTopology } from './topology';

/**
 * A TensorFlow.js layers model: `modelTopology` of its model.json, and the shards beside it.
 * @param size of images, where the model takes any
 * @throws ScoreCamError `network` naming the layer, its class and what is supported; `weights`
 */
export function readKeras(
  name: string,
  json: JsonObject,
  sibling: OpenSibling,
  size?: { readonly height: number; readonly width: number },
): ForeignNetwork {
  return convertKeras(readTopology(name, json.modelTopology), openTfjs(name, json, sibling), size);
}
