import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { projectRoot } from '../../cli/server';

/*
 * Kernels on Dawn in Node, by the npm package `webgpu`: for what Chrome's software adapter does not have, f16 and
 * larger subgroups. The package is large, so it is no dependency: without it, or without a Vulkan adapter such as
 * Mesa's lavapipe, these tests skip and say so.
 */

/** Dawn with a backend, e.g. `vulkan` or `null`, or why there is none. */
export interface Dawn {
  readonly gpu?: GPU;
  readonly absent?: string;
}

interface WebGpuPackage {
  readonly create: (flags: string[]) => GPU;
  readonly globals: Record<string, unknown>;
}

export async function openDawn(...flags: string[]): Promise<Dawn> {
  let address: string;
  try {
    const require = createRequire(resolve(projectRoot, 'bench', 'package.json'));
    address = pathToFileURL(require.resolve('webgpu')).href;
  } catch {
    return {
      absent: 'the npm package webgpu is neither in bench/node_modules nor in node_modules',
    };
  }
  const { create, globals } = (await import(/* @vite-ignore */ address)) as WebGpuPackage;
  Object.assign(globalThis, globals);
  return { gpu: create(flags) };
}

/** Why an adapter of these features cannot be had; undefined if it can. */
export async function lacking(
  dawn: Dawn,
  features: readonly string[],
): Promise<string | undefined> {
  if (!dawn.gpu) return dawn.absent;
  const adapter = await dawn.gpu.requestAdapter();
  if (!adapter) return 'Dawn finds no adapter';
  const missing = features.filter((feature) => !adapter.features.has(feature));
  return missing.length > 0 ? `the adapter has no ${missing.join(', ')}` : undefined;
}
