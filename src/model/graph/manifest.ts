import { type Checks, type ManifestBase, MOST_OUTPUTS, parseLayers } from '../manifest-base';
import type { BatchNormTensors } from '../tensors';

/** Version 2: layers that say which they read, so that a network may branch. */
export interface GraphManifest extends ManifestBase {
  readonly version: 2;
  readonly layers: readonly GraphManifestLayer[];
}

interface Named {
  readonly name: string;
  /** Names of layers that come before it in the list, or `image`. Default: the one right before it. */
  readonly inputs?: readonly string[] | undefined;
}

export type GraphActivation =
  | 'relu'
  | 'relu6'
  | 'hardswish'
  | 'silu'
  | 'sigmoid'
  | 'hardsigmoid'
  | { readonly leakyRelu: number }
  /** min(max(x, 0), ceiling) */
  | { readonly ceiling: number };

interface Activated {
  readonly activation?: GraphActivation | undefined;
}

/** Height and width, or one number for both. */
type Pair = number | readonly [number, number];

/**
 * `same` is TensorFlow's SAME: as many windows as the stride fits into the input, an odd row or column of padding at the
 * bottom or right.
 */
export type Padding =
  | number
  | readonly [top: number, left: number, bottom: number, right: number]
  | 'same';

/** Tensors of the weights file; what is absent is ones and zeros. Batch normalisation behind the sum is folded in. */
interface Weighted extends Activated {
  readonly weight?: string | undefined;
  readonly bias?: string | undefined;
  readonly batchNorm?: BatchNormTensors | undefined;
}

/** weight [outChannels, inChannels / groups, height, width] */
export interface GraphConv extends Named, Weighted {
  readonly type: 'conv';
  readonly outChannels: number;
  readonly kernel: Pair;
  /** Default 1. */
  readonly stride?: Pair | undefined;
  /** Default (kernel - 1) / 2 rounded down, all round. */
  readonly padding?: Padding | undefined;
  /** Default 1. */
  readonly groups?: number | undefined;
}

/** A factor and a shift for each channel: weight and bias [channels]. */
export interface GraphScale extends Named, Weighted {
  readonly type: 'scale';
}

/** weight [outFeatures, inFeatures] over the CHW-flattened input */
export interface GraphLinear extends Named, Weighted {
  readonly type: 'linear';
  readonly outFeatures: number;
}

export interface GraphPool extends Named {
  readonly type: 'maxpool' | 'avgpool';
  /** Default 2. */
  readonly kernel?: Pair | undefined;
  /** Default the kernel. */
  readonly stride?: Pair | undefined;
  /** Default 0. */
  readonly padding?: Padding | undefined;
  /** Whether a last window that reaches beyond the input counts (PyTorch's ceil_mode). Default false. */
  readonly ceil?: boolean | undefined;
  /** Whether an average counts padded zeros. Default false. */
  readonly countPadding?: boolean | undefined;
}

export interface GraphJoin extends Named, Activated {
  readonly type: 'globalavgpool' | 'add' | 'multiply' | 'concat' | 'activation';
}

export type GraphManifestLayer = GraphConv | GraphScale | GraphLinear | GraphPool | GraphJoin;

const NAMED_ACTIVATIONS = ['relu', 'relu6', 'hardswish', 'silu', 'sigmoid', 'hardsigmoid'] as const;

/**
 * Checks a parsed JSON value and returns it as a manifest of version 2.
 * @throws ScoreCamError `manifest`, naming the member, what it is and what it must be
 */
export function parseGraph(value: unknown, where = 'model manifest'): GraphManifest {
  return parseLayers(value, where, 2, graphLayer);
}

function graphLayer(checks: Checks, at: string, raw: Record<string, unknown>): GraphManifestLayer {
  const { fail, isRecord, text, count, oneOf, record } = checks;
  const has = (member: string): boolean => raw[member] !== undefined;
  const optional = <T>(
    member: string,
    read: (at: string, v: unknown) => T,
  ): { [M in string]?: T } =>
    has(member) ? { [member]: read(`${at}.${member}`, raw[member]) } : {};
  const flag = (member: string, v: unknown): boolean =>
    typeof v === 'boolean' ? v : fail(member, v, 'true or false');
  const whole = (v: unknown, least: number, most: number): v is number =>
    typeof v === 'number' && Number.isInteger(v) && v >= least && v <= most;
  const pair =
    (most: number) =>
    (member: string, v: unknown): Pair =>
      whole(v, 1, most) || (Array.isArray(v) && v.length === 2 && v.every((x) => whole(x, 1, most)))
        ? (v as Pair)
        : fail(member, v, `an integer from 1 to ${most}, or two of them (height, width)`);
  const padding = (member: string, v: unknown): Padding =>
    v === 'same' ||
    whole(v, 0, LARGEST_KERNEL) ||
    (Array.isArray(v) && v.length === 4 && v.every((x) => whole(x, 0, LARGEST_KERNEL)))
      ? (v as Padding)
      : fail(
          member,
          v,
          `"same", an integer from 0 to ${LARGEST_KERNEL}, or four of them (top, left, bottom, right)`,
        );
  const activation = (member: string, v: unknown): GraphActivation => {
    if (NAMED_ACTIVATIONS.some((name) => name === v)) return v as GraphActivation;
    const { leakyRelu, ceiling } = isRecord(v) ? v : {};
    if (typeof leakyRelu === 'number' && leakyRelu >= 0 && leakyRelu <= 1) return { leakyRelu };
    if (typeof ceiling === 'number' && ceiling > 0 && ceiling < 1e4) return { ceiling };
    return fail(
      member,
      v,
      `one of ${NAMED_ACTIVATIONS.join(', ')}, {"leakyRelu": slope from 0 to 1}, {"ceiling": number ` +
        'above 0 and below 10000}, or absent',
    );
  };
  const batchNorm = (member: string, v: unknown): BatchNormTensors => {
    const norm = record(member, v);
    const tensor = (name: string): string => text(`${member}.${name}`, norm[name]);
    const { epsilon } = norm;
    return {
      scale: tensor('scale'),
      shift: tensor('shift'),
      mean: tensor('mean'),
      variance: tensor('variance'),
      epsilon:
        typeof epsilon === 'number' && epsilon >= 0 && epsilon < 1
          ? epsilon
          : fail(`${member}.epsilon`, epsilon, 'a number from 0 to below 1'),
    };
  };
  const inputs = (member: string, v: unknown): string[] =>
    Array.isArray(v) && v.length > 0
      ? v.map((name, i) => text(`${member}[${i}]`, name))
      : fail(member, v, 'a non-empty list of names');

  const type = oneOf(`${at}.type`, raw.type, [
    'conv',
    'scale',
    'linear',
    'maxpool',
    'avgpool',
    'globalavgpool',
    'add',
    'multiply',
    'concat',
    'activation',
  ] as const);
  const named = { name: text(`${at}.name`, raw.name), ...optional('inputs', inputs) };
  const weighted = {
    ...named,
    ...optional('activation', activation),
    ...optional('weight', text),
    ...optional('bias', text),
    ...optional('batchNorm', batchNorm),
  };
  switch (type) {
    case 'conv':
      return {
        type,
        ...weighted,
        outChannels: count(`${at}.outChannels`, raw.outChannels, 65536),
        kernel: pair(LARGEST_KERNEL)(`${at}.kernel`, raw.kernel),
        ...optional('stride', pair(LARGEST_STRIDE)),
        ...optional('padding', padding),
        ...optional('groups', (member, v) => count(member, v, 65536)),
      };
    case 'scale':
      return { type, ...weighted };
    case 'linear':
      return {
        type,
        ...weighted,
        outFeatures: count(`${at}.outFeatures`, raw.outFeatures, MOST_OUTPUTS),
      };
    case 'maxpool':
    case 'avgpool':
      return {
        type,
        ...named,
        ...optional('kernel', pair(4096)),
        ...optional('stride', pair(4096)),
        ...optional('padding', padding),
        ...optional('ceil', flag),
        ...optional('countPadding', flag),
      };
    default:
      return { type, ...named, ...optional('activation', activation) };
  }
}

/** Of a convolution, each way; its stride at most. */
const LARGEST_KERNEL = 11;
const LARGEST_STRIDE = 4;
