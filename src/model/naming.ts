import type { TensorDtype } from '../numbers/tensor_dtypes';
import { isWeighted, type Network, readBy, type WeightedLayer, weightShape } from './network';
import type { GraphTensors, LayerTensors } from './tensors';
import { elementCount, type WeightSource } from './weight-source';

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

/** What a naming calls a layer's tensors. */
export interface LayerNames extends GraphTensors {
  /** Whether a file without the bias is right, too. */
  readonly isBiasOptional?: boolean;
}

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

/** @param names One a layer with weights, in the network's order. */
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

  network.layers.filter(isWeighted).forEach((layer, index) => {
    const named = names[index] as LayerNames;
    const perOutput = [[layer.output.channels]];
    const floats = layout === 'keras' ? KERAS_DTYPES : FLOATS;
    const isQuantisable = layout === 'torch' && layer.type === 'linear' && !named.batchNorm;
    const weight =
      named.weight &&
      take(
        layer,
        named.weight,
        weightShapes(layer, readBy(network, layer), layout),
        isQuantisable ? [...FLOATS, 'I8'] : floats,
      );
    if (weight) lastWeight = weight;
    if (weight && layer.type === 'linear') foundHead = true;
    const isInt8 = weight && source.tensors.get(weight)?.dtype === 'I8';
    const scale =
      isInt8 && isQuantisable ? take(layer, `${weight}.scale`, perOutput, ['F32']) : undefined;
    const bias = named.bias && take(layer, named.bias, perOutput, floats, named.isBiasOptional);
    const { batchNorm } = named;
    for (const part of NORM_PARTS) {
      if (batchNorm) take(layer, batchNorm[part], perOutput, floats);
    }
    matched.set(layer.name, {
      weight,
      bias,
      ...(batchNorm ? { batchNorm } : {}),
      ...(scale ? { scale } : {}),
    });
  });
  const result = { naming, layout, layers: matched, found, needed, problems };
  return { ...result, depth: undefined, lastWeight, foundHead };
}

const NORM_PARTS = ['scale', 'shift', 'mean', 'variance'] as const;
const FLOATS: readonly TensorDtype[] = ['F32', 'F16', 'BF16', 'F64'];
/** With those that TensorFlow.js' models are quantised to, which are dequantised as they are read. */
const KERAS_DTYPES: readonly TensorDtype[] = [...FLOATS, 'U8', 'U16'];

/** Shapes with the same elements in the same order, the usual one first. */
function weightShapes(
  layer: WeightedLayer,
  before: { readonly channels: number; readonly height: number; readonly width: number },
  layout: TensorMatch['layout'],
): readonly (readonly number[])[] {
  const shape = weightShape(layer);
  const [outputs = 0, inputs = 0, ...kernel] = shape;
  const { channels, height, width } = before;
  const isLinear = layer.type === 'linear';
  if (layout === 'torch') {
    if (isLinear) return [shape, [outputs, channels, height, width]];
    // A factor for each channel is stored as such.
    return elementCount(shape) === outputs ? [shape, [outputs]] : [shape];
  }
  return isLinear
    ? [
        [inputs, outputs],
        [height, width, channels, outputs],
      ]
    : [
        [...kernel, inputs, outputs],
        // Depthwise: a filter for each channel.
        ...(inputs === 1 ? [[...kernel, outputs, 1]] : []),
      ];
}
