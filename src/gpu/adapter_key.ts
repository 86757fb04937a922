import type { AdapterFacts } from './facts';

/**
 * Tells one kind of GPU from another as far as the browser lets it be told: by what it says of itself, and behind the
 * last slash a number made of what it can do.
 */
export function adapterKey(
  { vendor, architecture, device, description, isFallback }: AdapterFacts,
  { limits, features }: Pick<GPUAdapter, 'limits' | 'features'>,
): string {
  const able: unknown[] = [isFallback, ...[...features].sort()];
  // Limits are getters of the prototype, which only this loop goes through.
  for (const name in limits) able.push(name, limits[name as keyof GPUSupportedLimits]);
  let hash = 0;
  for (const letter of able.join()) hash = (Math.imul(hash, 31) + letter.charCodeAt(0)) >>> 0;
  return [vendor, architecture, device, description, hash.toString(36)].join('/');
}
