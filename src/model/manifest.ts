import type { GraphManifest } from './graph/manifest';
import {
  type Activation,
  type Checks,
  checksOf,
  type ManifestLayer,
  MOST_OUTPUTS,
  parseLayers,
  type SequentialManifest,
} from './manifest-base';

export type * from './manifest-base';

/** A network as data: what docs/model-format.md describes and manifest.schema.json defines. */
export type Manifest = SequentialManifest | GraphManifest;

/**
 * Checks a parsed JSON value and returns it as a manifest of version 1.
 * @throws ScoreCamError `manifest`, naming the member, what it is and what it must be.
 */
export function parseManifest(value: unknown, where = 'model manifest'): SequentialManifest {
  return parseLayers(value, where, 1, sequentialLayer);
}

/**
 * The same of a manifest of any version.
 * @throws ScoreCamError `manifest`
 */
export async function readManifest(value: unknown, where?: string): Promise<Manifest> {
  const isGraph = checksOf('').isRecord(value) && value.version === 2;
  return isGraph
    ? (await import('./graph/manifest')).parseGraph(value, where)
    : parseManifest(value, where);
}

function sequentialLayer(checks: Checks, at: string, raw: Record<string, unknown>): ManifestLayer {
  const { fail, isRecord, text, count, oneOf } = checks;
  const activation = (member: string, v: unknown): Activation | undefined => {
    if (v === undefined || v === 'relu') return v;
    const slope = isRecord(v) ? v.leakyRelu : undefined;
    return typeof slope === 'number' && slope >= 0 && slope <= 1
      ? { leakyRelu: slope }
      : fail(member, v, '"relu", {"leakyRelu": slope from 0 to 1} or absent');
  };
  const name = text(`${at}.name`, raw.name);
  const type = oneOf(`${at}.type`, raw.type, [
    'conv',
    'maxpool',
    'globalavgpool',
    'linear',
  ] as const);
  if (type === 'maxpool' || type === 'globalavgpool') return { type, name };
  const shared = {
    name,
    activation: activation(`${at}.activation`, raw.activation),
    weight: text(`${at}.weight`, raw.weight),
    bias: text(`${at}.bias`, raw.bias),
  };
  return type === 'conv'
    ? {
        type,
        ...shared,
        outChannels: count(`${at}.outChannels`, raw.outChannels, 65536),
        kernel: oneOf(`${at}.kernel`, raw.kernel, [1, 3] as const),
      }
    : { type, ...shared, outFeatures: count(`${at}.outFeatures`, raw.outFeatures, MOST_OUTPUTS) };
}
