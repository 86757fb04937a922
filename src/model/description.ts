import { type Manifest, type ManifestInput, readManifest } from './manifest';

/** What people say of a network whose file does not: its classes and its preprocessing. */
export interface Description {
  /** One a class, in the order of the network's outputs. Default: numbered classes. */
  readonly labels?: readonly string[] | undefined;
  /** input = (rgb / 255 - mean) / std */
  readonly mean?: ManifestInput['mean'] | undefined;
  readonly std?: ManifestInput['std'] | undefined;
  /** Pixels of the network's input: one number for a square, or height and width. */
  readonly size?: number | readonly [height: number, width: number] | undefined;
  readonly resize?: ManifestInput['resize'] | undefined;
}

export function sizeOf({ size }: Description): { height: number; width: number } | undefined {
  if (size === undefined) return undefined;
  const [height, width] = typeof size === 'number' ? [size, size] : size;
  return { height, width };
}

/**
 * A manifest of which something is said otherwise.
 * @throws ScoreCamError `manifest` where that is not possible
 */
export async function described(manifest: Manifest, said: Description): Promise<Manifest> {
  const { labels = manifest.labels } = said;
  const { mean, std, resize } = { ...manifest.input, ...present(said) };
  const input = { ...manifest.input, ...sizeOf(said), mean, std, resize };
  return readManifest({ ...manifest, labels, input }, manifest.name);
}

/** Without members that are undefined, which would hide others. */
function present(said: Description): Partial<Pick<ManifestInput, 'mean' | 'std' | 'resize'>> {
  const { mean, std, resize } = said;
  return { ...(mean && { mean }), ...(std && { std }), ...(resize && { resize }) };
}
