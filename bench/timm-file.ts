import { join } from 'node:path';
import { SafetensorsFile } from '../cli/safetensors-file';
import type { StoredTensor } from '../src/model/encoding';
import { seededVgg } from '../src/model/seeded-vgg';
import type { VggDepth } from '../src/model/vgg';
import { elementCount } from '../src/model/weight-source';

/** Elements generated and written at once. */
const CHUNK = 4 * 1024 * 1024;

/** timm's names and shapes for torchvision's fully connected layers: two of them are convolutions. */
const HEAD: Readonly<Record<string, { name: string; kernel: number }>> = {
  'classifier.0': { name: 'pre_logits.fc1', kernel: 7 },
  'classifier.3': { name: 'pre_logits.fc2', kernel: 1 },
  'classifier.6': { name: 'head.fc', kernel: 0 },
};

/**
 * Writes a seeded full-size VGG into `folder` as the file that timm hosts would be: safetensors, f32,
 * timm's names. VGG-16 takes 553 MB.
 */
export async function writeTimmFile(
  folder: string,
  depth: VggDepth,
  seed: number,
): Promise<{ path: string; bytes: number; sha256: string }> {
  const { weights } = seededVgg(depth, seed);
  const places = Array.from(weights.tensors, ([name, { shape }]) => ({
    name,
    ...timm(name, shape),
  }));
  const path = join(folder, `vgg${depth}.safetensors`);
  const file = await SafetensorsFile.create(
    path,
    places.map(({ stored }) => stored),
  );
  try {
    for (const { name, stored } of places) {
      const count = elementCount(stored.shape);
      for (let at = 0; at < count; at += CHUNK) {
        const values = await weights.read(name, at, Math.min(CHUNK, count - at));
        await file.write(stored.name, 4 * at, new Uint8Array(values.buffer));
      }
    }
    return { path, ...(await file.finish()) };
  } catch (error) {
    await file.abandon();
    throw error;
  }
}

function timm(name: string, shape: readonly number[]): { stored: StoredTensor } {
  const [module = '', kind = ''] = name.split(/\.(?=weight$|bias$)/);
  const head = HEAD[module];
  if (!head) return { stored: { name, shape, dtype: 'F32' } };
  const [outputs = 0, inputs = 0] = shape;
  const { kernel } = head;
  const own = kernel > 0 && kind === 'weight';
  const spatial = own ? [outputs, inputs / kernel ** 2, kernel, kernel] : shape;
  return { stored: { name: `${head.name}.${kind}`, shape: spatial, dtype: 'F32' } };
}
