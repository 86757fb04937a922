import type { TensorDtype } from '../numbers/tensor_dtypes';
import { type ConvLayer, type LinearLayer, type Network, sizeOf } from './network';
import type { LayerNames } from './vgg-names';
import type { WeightSource } from './weight-source';

/** The tensors of one layer, by their names in the file. */
export interface LayerTensors {
  readonly weight: string;
  /** Absent only where batch normalisation follows, which has a shift of its own. */
  readonly bias: string | undefined;
  readonly batchNorm?: BatchNormTensors;
  /** Of a fully connected layer's I8 weight: F32 [outFeatures], weight = stored * scale. */
  readonly scale?: string;
}

/** y = scale (x - mean) / sqrt(variance + epsilon) + shift, each [outChannels] */
export interface BatchNormTensors {
  readonly scale: string;
  readonly shift: string;
  readonly mean: string;
  readonly variance: string;
  readonly epsilon: number;
}

export interface TensorMatch {
  /** Whose names the file has: `manifest`, `torchvision`, `timm`, `keras`, ... */
  readonly naming: string;
  /**
   * `torch`: convolutions [out, in, k, k]; fully connected [out, in] over inputs flattened in CHW
   * order, or as the convolution over the whole map, which has the same elements in the same order.
   * `keras`: [k, k, in, out], and [in, out] over inputs flattened in HWC order.
   */
  readonly layout: 'torch' | 'keras';
  /** By layer name: every convolution and fully connected layer. */
  readonly layers: ReadonlyMap<string, LayerTensors>;
}

export type WeightedLayer = ConvLayer | LinearLayer;

/** PyTorch's default, which its VGGs leave as it is. */
const TORCH_EPSILON = 1e-5;

/** What came of trying one naming. */
export interface Attempt extends TensorMatch {
  /** Tensors that are there under this naming, and that it needs. */
  readonly found: number;
  readonly needed: number;
  /** What is missing or does not fit, in the network's order. */
  readonly problems: readonly string[];
  /** The VGG in the file, where it is one under this naming. */
  readonly depth: number | undefined;
  readonly lastWeight: string | undefined;
  readonly foundHead: boolean;
}

export function matchOf({ naming, layout, layers }: Attempt): TensorMatch {
  return { naming, layout, layers };
}

/** Tensors by their very names. */
export function exactFinder(source: WeightSource): (name: string) => readonly string[] {
  return (name) => (source.tensors.has(name) ? [name] : []);
}

/** @param names One a convolution or fully connected layer, in the network's order. */
export function attempt(
  network: Network,
  source: WeightSource,
  naming: string,
  layout: TensorMatch['layout'],
  names: readonly LayerNames[],
  find: (name: string) => readonly string[],
): Attempt {
  const matched = new Map<string, LayerTensors>();
  const problems: string[] = [];
  let found = 0;
  let needed = 0;
  let lastWeight: string | undefined;
  let foundHead = false;

  /** The tensor of that name, if it is there; whether it fits is said in `problems`. */
  const take = (
    layer: WeightedLayer,
    name: string,
    shapes: readonly (readonly number[])[],
    dtypes: readonly TensorDtype[],
    isOptional = false,
  ): string | undefined => {
    const [actual, second] = find(name);
    if (actual || !isOptional) needed++;
    if (!actual) {
      if (!isOptional) problems.push(`tensor "${name}" (layer "${layer.name}") is missing`);
      return undefined;
    }
    found++;
    const { shape, dtype } = source.tensors.get(actual) as { shape: number[]; dtype: TensorDtype };
    const described = `tensor "${actual}" is ${dtype} ${shape.join('x')}`;
    if (second) {
      problems.push(`"${actual}" and "${second}" could both be "${name}"; give one model a file`);
    } else if (!shapes.some((fitting) => fitting.join() === shape.join())) {
      problems.push(`${described}, layer "${layer.name}" needs ${shapes[0]?.join('x')}`);
    } else if (!dtypes.includes(dtype)) {
      problems.push(`${described}, layer "${layer.name}" needs ${dtypes.join(', ')}`);
    }
    return actual;
  };

  let index = 0;
  network.layers.forEach((layer, position) => {
    if (layer.type !== 'conv' && layer.type !== 'linear') return;
    const { weight: weightName, bias: biasName, norm } = names[index++] as LayerNames;
    const before = network.layers[position - 1]?.output ?? network.input;
    const perOutput = [[layer.output.channels]];
    const floats = layout === 'keras' ? KERAS_DTYPES : FLOATS;
    const isQuantisable = layout === 'torch' && layer.type === 'linear';
    const weight = take(
      layer,
      weightName,
      weightShapes(layer, before, layout),
      isQuantisable ? [...FLOATS, 'I8'] : floats,
    );
    if (weight) lastWeight = weight;
    if (weight && layer.type === 'linear') foundHead = true;
    const isInt8 = weight !== undefined && source.tensors.get(weight)?.dtype === 'I8';
    const scale =
      isInt8 && isQuantisable ? take(layer, `${weight}.scale`, perOutput, ['F32']) : undefined;
    const bias = take(layer, biasName, perOutput, floats, norm !== undefined);
    const normTensor = (name: string): string =>
      take(layer, `${norm}.${name}`, perOutput, FLOATS) ?? '';
    const batchNorm = norm && {
      scale: normTensor('weight'),
      shift: normTensor('bias'),
      mean: normTensor('running_mean'),
      variance: normTensor('running_var'),
      epsilon: TORCH_EPSILON,
    };
    matched.set(layer.name, {
      weight: weight ?? '',
      bias,
      ...(batchNorm ? { batchNorm } : {}),
      ...(scale ? { scale } : {}),
    });
  });
  const result = { naming, layout, layers: matched, found, needed, problems };
  return { ...result, depth: undefined, lastWeight, foundHead };
}

const FLOATS: readonly TensorDtype[] = ['F32', 'F16', 'BF16', 'F64'];
/** With those that TensorFlow.js' models are quantised to, which are dequantised as they are read. */
const KERAS_DTYPES: readonly TensorDtype[] = [...FLOATS, 'U8', 'U16'];

/** Shapes with the same elements in the same order, the usual one first. */
function weightShapes(
  layer: WeightedLayer,
  before: { readonly channels: number; readonly height: number; readonly width: number },
  layout: TensorMatch['layout'],
): readonly (readonly number[])[] {
  const outputs = layer.output.channels;
  if (layer.type === 'conv') {
    const { kernel, input } = layer;
    return layout === 'torch'
      ? [[outputs, input.channels, kernel, kernel]]
      : [[kernel, kernel, input.channels, outputs]];
  }
  const inputs = sizeOf(layer.input);
  const { channels, height, width } = before;
  return layout === 'torch'
    ? [
        [outputs, inputs],
        [outputs, channels, height, width],
      ]
    : [
        [inputs, outputs],
        [height, width, channels, outputs],
      ];
}
