import { ScoreCamError, shown } from '../errors';
import type { WeightDtype } from '../numbers/dtypes';

/** Outputs of a fully connected layer, and so classes. */
export const MOST_OUTPUTS = 1 << 20;

/**
 * Version 1: sequential networks of 3x3 and 1x1 convolutions, 2x2 max pooling, global average pooling and fully connected
 * layers: every VGG, and heads like Tiny Darknet's.
 */
export interface SequentialManifest extends ManifestBase {
  readonly version: 1;
  readonly layers: readonly ManifestLayer[];
}

export interface ManifestBase {
  readonly version: number;
  readonly format: 'score-cam-webgpu/model';
  readonly name: string;
  readonly description: string;
  readonly licence: string;
  readonly input: ManifestInput;
  /** Name of the layer whose activation maps are explained unless the caller names another. */
  readonly targetLayer: string;
  /** One label a class, in the order of the network's outputs. */
  readonly labels: readonly string[];
  readonly weights: ManifestWeights;
}

/** input = (rgb / 255 - mean) / std, at width x height. */
export interface ManifestInput {
  readonly width: number;
  readonly height: number;
  readonly mean: readonly [number, number, number];
  readonly std: readonly [number, number, number];
  /** `cover`: scale the shorter side and crop the centre; `stretch`: scale both sides freely. */
  readonly resize: 'cover' | 'stretch';
}

export type Activation = 'relu' | { readonly leakyRelu: number };

export interface ManifestConv {
  readonly type: 'conv';
  readonly name: string;
  readonly outChannels: number;
  /** Stride 1, zero padding (kernel - 1) / 2. */
  readonly kernel: 1 | 3;
  readonly activation?: Activation | undefined;
  /** Tensor names in the weights file: OIHW and [outChannels]. */
  readonly weight: string;
  readonly bias: string;
}

export interface ManifestMaxPool {
  readonly type: 'maxpool';
  readonly name: string;
}

export interface ManifestGlobalAveragePool {
  readonly type: 'globalavgpool';
  readonly name: string;
}

export interface ManifestLinear {
  readonly type: 'linear';
  readonly name: string;
  readonly outFeatures: number;
  readonly activation?: Activation | undefined;
  /** Tensor names: [outFeatures, inFeatures] over the CHW-flattened input, and [outFeatures]. */
  readonly weight: string;
  readonly bias: string;
}

export type ManifestLayer =
  | ManifestConv
  | ManifestMaxPool
  | ManifestGlobalAveragePool
  | ManifestLinear;

export type ManifestWeights =
  | {
      /** What the file is; it is recognised by its content, so this is for people. */
      readonly format: 'safetensors' | 'pytorch' | 'tensorflowjs' | 'onnx';
      /** Relative to the manifest, or a whole URL. */
      readonly file: string;
      readonly bytes?: number | undefined;
      /** Lower-case hexadecimal: all 64 digits, or at least the first 8, as in torchvision's file names. */
      readonly sha256?: string | undefined;
      /** How the weights are kept on the GPU unless the caller says otherwise; `f32` if absent. */
      readonly dtype?: WeightDtype | undefined;
      /** Order of the input channels that the file's first convolution was trained with; `rgb` if absent. */
      readonly channelOrder?: 'rgb' | 'bgr' | undefined;
    }
  | {
      /** A pure function of the seed: full-size networks for tests and benchmarks (seeded.ts). */
      readonly format: 'seeded';
      readonly seed: number;
    };

/** Checks of a manifest's members; each gives the value back, or throws `manifest` naming the member and what it must be. */
export function checksOf(where: string) {
  const fail = (member: string, found: unknown, need: string): never => {
    throw new ScoreCamError(
      'manifest',
      `${where}: "${member}" is ${shown(found)}, must be ${need}.`,
    );
  };
  const isRecord = (v: unknown): v is Record<string, unknown> =>
    typeof v === 'object' && v !== null && !Array.isArray(v);
  return {
    fail,
    isRecord,
    record: (member: string, v: unknown): Record<string, unknown> =>
      isRecord(v) ? v : fail(member, v, 'an object'),
    text: (member: string, v: unknown): string =>
      typeof v === 'string' && v.length > 0 ? v : fail(member, v, 'a non-empty string'),
    count: (member: string, v: unknown, most: number): number =>
      typeof v === 'number' && Number.isInteger(v) && v >= 1 && v <= most
        ? v
        : fail(member, v, `an integer from 1 to ${most}`),
    oneOf: <T>(member: string, v: unknown, allowed: readonly T[]): T =>
      allowed.includes(v as T)
        ? (v as T)
        : fail(member, v, allowed.map((a) => `${a}`).join(' or ')),
  };
}

export type Checks = ReturnType<typeof checksOf>;

/** A manifest of one version, each of its layers checked by `layer`. */
export function parseLayers<Version extends number, Layer>(
  value: unknown,
  where: string,
  version: Version,
  layer: (checks: Checks, at: string, raw: Record<string, unknown>) => Layer,
): ManifestBase & { readonly version: Version; readonly layers: readonly Layer[] } {
  const checks = checksOf(where);
  const { fail, record, text, count, oneOf } = checks;
  const rgb = (member: string, v: unknown, positive: boolean): [number, number, number] =>
    Array.isArray(v) &&
    v.length === 3 &&
    v.every((x) => typeof x === 'number' && Number.isFinite(x) && (!positive || x > 0))
      ? (v as [number, number, number])
      : fail(member, v, `three ${positive ? 'positive ' : ''}numbers (red, green, blue)`);

  const root = record('(root)', value);
  oneOf('format', root.format, ['score-cam-webgpu/model']);
  oneOf('version', root.version, [version]);

  const input = record('input', root.input);
  const size = (member: string): number => count(`input.${member}`, input[member], 4096);
  const list = (member: string): unknown[] => {
    const v = root[member];
    return Array.isArray(v) && v.length > 0 ? v : fail(member, v, 'a non-empty list');
  };
  const weights = (): ManifestWeights => {
    const raw = record('weights', root.weights);
    const format = oneOf('weights.format', raw.format, [
      'safetensors',
      'pytorch',
      'tensorflowjs',
      'onnx',
      'seeded',
    ] as const);
    if (format === 'seeded') {
      const { seed } = raw;
      return Number.isInteger(seed) && (seed as number) >= 0 && (seed as number) < 2 ** 32
        ? { format, seed: seed as number }
        : fail('weights.seed', seed, 'an integer from 0 to 4294967295');
    }
    const { bytes, sha256 } = raw;
    if (sha256 !== undefined && !(typeof sha256 === 'string' && /^[0-9a-f]{8,64}$/.test(sha256))) {
      fail('weights.sha256', sha256, '8 to 64 lower-case hexadecimal digits');
    }
    const optional = <T>(member: 'dtype' | 'channelOrder', allowed: readonly T[]): T | undefined =>
      raw[member] === undefined ? undefined : oneOf(`weights.${member}`, raw[member], allowed);
    return {
      format,
      file: text('weights.file', raw.file),
      bytes: bytes === undefined ? undefined : count('weights.bytes', bytes, 2 ** 40),
      sha256: sha256 as string | undefined,
      dtype: optional('dtype', ['f32', 'f16', 'int8'] as const),
      channelOrder: optional('channelOrder', ['rgb', 'bgr'] as const),
    };
  };

  return {
    format: 'score-cam-webgpu/model',
    version,
    name: text('name', root.name),
    description: text('description', root.description),
    licence: text('licence', root.licence),
    input: {
      width: size('width'),
      height: size('height'),
      mean: rgb('input.mean', input.mean, false),
      std: rgb('input.std', input.std, true),
      resize: oneOf('input.resize', input.resize, ['cover', 'stretch'] as const),
    },
    layers: list('layers').map((v, index) =>
      layer(checks, `layers[${index}]`, record(`layers[${index}]`, v)),
    ),
    targetLayer: text('targetLayer', root.targetLayer),
    labels: list('labels').map((label, index) => text(`labels[${index}]`, label)),
    weights: weights(),
  };
}
