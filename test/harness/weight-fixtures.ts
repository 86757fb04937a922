import { readFileSync } from 'node:fs';
import { elementCount, type WeightSource } from '../../src/model/weight-source';

/** A file that test/fixtures/make.py wrote. */
export function fixture(name: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(readFileSync(new URL(`../fixtures/${name}`, import.meta.url)));
}

/** All elements of one tensor. */
export function readWhole(source: WeightSource, name: string): Promise<Float32Array<ArrayBuffer>> {
  return source.read(name, 0, elementCount(source.tensors.get(name)?.shape ?? []));
}

/** All tensors, in the order in which they are best read. */
export async function readAll(
  source: WeightSource,
): Promise<Map<string, Float32Array<ArrayBuffer>>> {
  const values = new Map<string, Float32Array<ArrayBuffer>>();
  for (const name of source.tensors.keys()) values.set(name, await readWhole(source, name));
  return values;
}
