/** The seeded networks of the reference data, rebuilt from golden.json alone: operation by operation, and its own hash. */
import { type GraphManifestLayer, parseGraph } from '../../src/model/graph/manifest';
import { buildGraph } from '../../src/model/graph/network';
import type { Model } from '../../src/model/model';
import { elementCount, type WeightSource } from '../../src/model/weight-source';

/** golden/NETWORK-seed1/golden.json, as far as the tests read it. */
export interface GraphGolden {
  readonly network: string;
  readonly seed: number;
  readonly target_stage: string;
  readonly tensors: readonly GoldenTensor[];
  readonly stages: readonly Stage[];
  readonly logits: readonly number[];
  readonly baseline_logits: readonly number[];
  readonly constant_channels: readonly number[];
  readonly upsampled_min_max: readonly (readonly [number, number])[];
  readonly classes: Readonly<
    Record<
      string,
      {
        readonly prob: number;
        /** Of the first 64 channels. */
        readonly masked_prob: readonly (number | null)[];
        readonly masked_logit: readonly (number | null)[];
        readonly gradcam_alpha: readonly number[];
      }
    >
  >;
}

interface GoldenTensor {
  readonly t: number;
  readonly name: string;
  readonly rule: 'weight' | 'bias' | 'bn_weight' | 'bn_bias' | 'running_mean' | 'running_var';
  readonly shape: readonly number[];
  readonly first: readonly number[];
  readonly last: number;
}

interface StageBase {
  readonly name: string;
  readonly inputs: readonly string[];
  readonly shape: readonly number[];
  readonly std: number;
  readonly samples: readonly (readonly [number, number])[];
}

interface PoolAttributes {
  readonly kernel: number;
  readonly stride: number;
  readonly padding: number;
  readonly ceil_mode: boolean;
}

export type Stage = StageBase &
  (
    | {
        readonly op: 'conv';
        readonly attributes: {
          readonly kernel: readonly [number, number];
          readonly stride: readonly [number, number];
          readonly padding: readonly [number, number];
          readonly groups: number;
          readonly bias: boolean;
        };
      }
    | { readonly op: 'batch_norm'; readonly attributes: { readonly eps: number } }
    | { readonly op: 'max_pool' | 'avg_pool'; readonly attributes: PoolAttributes }
    | { readonly op: 'relu' | 'relu6' | 'global_avg_pool' | 'add' | 'concat' | 'linear' }
  );

/** A layer for each stage, called after it. */
export function goldenGraph(golden: GraphGolden): Model {
  const classes = golden.stages.at(-1)?.shape[0] as number;
  const manifest = parseGraph({
    format: 'score-cam-webgpu/model',
    version: 2,
    name: golden.network,
    description: 'generated weights',
    licence: 'MIT',
    input: {
      width: 224,
      height: 224,
      mean: [0.485, 0.456, 0.406],
      std: [0.229, 0.224, 0.225],
      resize: 'cover',
    },
    layers: golden.stages.map(layerOf),
    targetLayer: golden.target_stage,
    labels: Array.from({ length: classes }, (_, i) => `class ${i}`),
    weights: { format: 'seeded', seed: golden.seed },
  });
  return { manifest, network: buildGraph(manifest), weights: goldenWeights(golden) };
}

function layerOf(stage: Stage): GraphManifestLayer {
  const { name } = stage;
  const base = {
    name,
    inputs: stage.inputs.map((input) => (input === 'input' ? 'image' : input)),
  };
  const [weight, bias] = [`${name}.weight`, `${name}.bias`];
  switch (stage.op) {
    case 'conv': {
      const { kernel, stride, padding, groups, bias: isBiased } = stage.attributes;
      return {
        ...base,
        type: 'conv',
        outChannels: stage.shape[0] as number,
        kernel,
        stride,
        padding: [...padding, ...padding] as [number, number, number, number],
        groups,
        weight,
        ...(isBiased ? { bias } : {}),
      };
    }
    case 'batch_norm': {
      const [mean, variance] = [`${name}.running_mean`, `${name}.running_var`];
      const epsilon = stage.attributes.eps;
      return {
        ...base,
        type: 'scale',
        batchNorm: { scale: weight, shift: bias, mean, variance, epsilon },
      };
    }
    case 'max_pool':
    case 'avg_pool': {
      const { ceil_mode: ceil, ...window } = stage.attributes;
      return { ...base, type: stage.op === 'max_pool' ? 'maxpool' : 'avgpool', ...window, ceil };
    }
    case 'relu':
    case 'relu6':
      return { ...base, type: 'activation', activation: stage.op };
    case 'global_avg_pool':
      return { ...base, type: 'globalavgpool' };
    case 'linear':
      return { ...base, type: 'linear', outFeatures: stage.shape[0] as number, weight, bias };
    default:
      return { ...base, type: stage.op };
  }
}

function lowbias32(x: number): number {
  let y = x >>> 0;
  y = Math.imul(y ^ (y >>> 16), 0x7feb352d);
  y = Math.imul(y ^ (y >>> 15), 0x846ca68b);
  return (y ^ (y >>> 16)) >>> 0;
}

/** Every value follows from the seed, the number of its tensor and its own, in operations rounded to f32. */
function goldenWeights({ tensors, seed }: GraphGolden): WeightSource {
  const { fround } = Math;
  const elementsOf = ({ t, rule, shape }: GoldenTensor): ((i: number) => number) => {
    const bound = fround(2 * fround(Math.sqrt(6 / elementCount(shape.slice(1)))));
    const rules: Readonly<Record<GoldenTensor['rule'], (u: number, h: number) => number>> = {
      weight: (_, h) => h * bound,
      bias: (_, h) => h * fround(0.1),
      bn_weight: (_, h) => 1 + fround(h * fround(0.2)),
      bn_bias: (_, h) => h * fround(0.2),
      running_mean: (_, h) => h * fround(0.2),
      running_var: (u) => 1 + u,
    };
    const start = (Math.imul(seed, 0x9e3779b9) + Math.imul(t, 0x85ebca6b)) >>> 0;
    const salt = Math.imul(t, 0x27d4eb2f);
    return (i) => {
      const u = (lowbias32(lowbias32(i + start) ^ salt) >>> 8) * 2 ** -24;
      return fround(rules[rule](u, fround(u - 0.5)));
    };
  };
  const byName = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  return {
    name: 'generated weights',
    tensors: new Map(tensors.map(({ name, shape }) => [name, { shape, dtype: 'F32' as const }])),
    read: async (name, start, count) => {
      const value = elementsOf(byName.get(name) as GoldenTensor);
      return Float32Array.from({ length: count }, (_, i) => value(start + i));
    },
  };
}
