import { ScoreCamError } from '../../errors';
import type { OpenSibling } from '../bytes/byte-source';
import { type TensorFacts, tensorOf, type WeightSource } from '../weight-source';
import { checkPartPath, isObject, type JsonObject } from './json';
import { openSafetensors } from './safetensors';

/**
 * Opens a model that is split over several safetensors files, by its `model.safetensors.index.json`:
 * {"metadata": {...}, "weight_map": {tensor: file}}. Each file is opened once; tensors that the index
 * does not name are left out.
 * @throws ScoreCamError `weights` naming index, file and tensor.
 */
export async function openSafetensorsIndex(
  name: string,
  index: JsonObject,
  sibling: OpenSibling,
): Promise<WeightSource> {
  const fail = (message: string): never => {
    throw new ScoreCamError('weights', `${name}: ${message}`);
  };
  const { weight_map: map } = index;
  if (!isObject(map) || Object.keys(map).length === 0) {
    return fail('"weight_map" must be an object that names at least one tensor.');
  }
  const parts = new Map<string, string[]>();
  for (const [tensor, path] of Object.entries(map)) {
    const part = checkPartPath(name, path);
    const names = parts.get(part);
    if (names) names.push(tensor);
    else parts.set(part, [tensor]);
  }
  const holders = new Map<string, WeightSource>();
  const tensors = new Map<string, TensorFacts>();
  for (const [path, names] of parts) {
    const part = await openSafetensors(await sibling(path));
    for (const tensor of names) {
      if (part.tensors.has(tensor)) continue;
      fail(
        `tensor "${tensor}" should be in ${path}, which does not hold it: parts of another model?`,
      );
    }
    const asked = new Set(names);
    for (const [tensor, facts] of part.tensors) {
      if (!asked.has(tensor)) continue;
      tensors.set(tensor, facts);
      holders.set(tensor, part);
    }
  }
  return {
    name,
    tensors,
    async read(tensor, start, count) {
      tensorOf({ name, tensors }, tensor);
      return (holders.get(tensor) as WeightSource).read(tensor, start, count);
    },
  };
}
