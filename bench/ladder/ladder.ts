import type { Arena } from '../../src/gpu/arena';
import type { Dispatch, Kernel, Slice } from '../../src/gpu/kernel';
import { workgroupsFor } from '../../src/gpu/workgroups';
import {
  type ConvShape,
  conv,
  type PackedConv,
  packConv,
} from '../../src/kernels/convolution/conv';
import { rowStride } from '../../src/kernels/linear/linear';
import {
  outStride,
  winogradConv,
  winogradFilterBytes,
  winogradFilters,
  winogradScratch,
} from '../../src/kernels/winograd/winograd';
import {
  fusedConv,
  fusedFilterBytes,
  fusedFilters,
} from '../../src/kernels/winograd/winograd_fused';
import { quadsFit } from '../../src/kernels/winograd/winograd_product';
import { ceilDiv } from '../../src/numbers/padding';
import {
  conv1Naive,
  conv2Channels,
  conv3Patch,
  conv6WinogradF2,
  linear1Scalar,
  winogradF2FilterBytes,
  winogradF2FiltersOf,
} from './kernels';
import { type AnyLinearTiling, anyLinear } from './naive';

/*
 * The ladder (docs/kernels.md): the same layer computed in ways that are one idea apart, from the definition
 * to what the library runs. All rungs take the same inputs and are checked against the same reference.
 */

/** What one rung needs recorded: once at load, and at each use. */
export interface Recorded {
  readonly load: readonly Dispatch[];
  readonly run: readonly Dispatch[];
}

export interface Rung<Layer> {
  readonly name: string;
  /** What it does that the rung before it does not. */
  readonly idea: string;
  /** What a device must have to run it. */
  readonly needs?: GPUFeatureName;
  /** Of a rung that not every layer allows. Default: all do. */
  readonly allows?: (sizes: Pick<ConvShape, 'inChannels' | 'outChannels'>) => boolean;
  record(layer: Layer): Recorded;
}

/** A 3x3 convolution without pooling, as every rung may want it. */
export interface ConvLayer {
  readonly arena: Arena;
  readonly shape: ConvShape;
  readonly batch: number;
  /** [batch, inChannels, height, width] */
  readonly input: Slice;
  /** [outChannels, inChannels, 3, 3] */
  readonly plain: Slice;
  /** Of {@link packConv}, f32. */
  readonly weights: Slice;
  /** [outChannels rounded up to 8] */
  readonly bias: Slice;
  readonly output: Slice;
  /** Fours of invocations that a subgroup is. */
  readonly quads?: number | undefined;
}

export interface LinearLayer {
  readonly inFeatures: number;
  readonly outFeatures: number;
  readonly activation: number;
  readonly batch: number;
  readonly input: Slice;
  /** [outFeatures, inFeatures] */
  readonly plain: Slice;
  /** [outFeatures, rowStride(inFeatures)] */
  readonly weights: Slice;
  readonly bias: Slice;
  /** [outFeatures] pairs (1, bias) */
  readonly affine: Slice;
  readonly output: Slice;
  readonly quads?: number | undefined;
}

/** Uploads one layer in the forms that the rungs read. */
export function convLayer(
  arena: Arena,
  shape: ConvShape,
  batch: number,
  input: Float32Array,
  weights: Float32Array,
  bias: Float32Array,
): ConvLayer {
  const packed: PackedConv = packConv(weights, bias, shape, 'f32');
  return {
    arena,
    shape,
    batch,
    input: arena.upload('input', input),
    plain: arena.upload('plain weights', weights),
    weights: arena.upload('weights', packed.weights),
    bias: arena.upload('bias', packed.bias),
    output: arena.take('output', 4 * batch * shape.outChannels * shape.height * shape.width),
  };
}

export function linearLayer(
  arena: Arena,
  size: Pick<LinearLayer, 'inFeatures' | 'outFeatures' | 'activation' | 'batch'>,
  input: Float32Array,
  weights: Float32Array,
  bias: Float32Array,
): LinearLayer {
  const { inFeatures, outFeatures, batch } = size;
  const stride = rowStride(inFeatures);
  const padded = new Float32Array(outFeatures * stride);
  for (let o = 0; o < outFeatures; o++) {
    padded.set(weights.subarray(o * inFeatures, (o + 1) * inFeatures), o * stride);
  }
  return {
    ...size,
    input: arena.upload('input', input),
    plain: arena.upload('plain weights', weights),
    weights: arena.upload('weights', padded),
    bias: arena.upload('bias', bias),
    affine: arena.upload('affine', Float32Array.from([...bias].flatMap((b) => [1, b]))),
    output: arena.take('output', 4 * batch * outFeatures),
  };
}

/** One dispatch of a study kernel, an invocation for each of `items`. */
function study(kernel: Kernel, layer: ConvLayer, items: number, weights: Slice): Dispatch {
  const { shape, batch, input, bias, output } = layer;
  const { inChannels, outChannels, height, width, activation } = shape;
  const named = kernel === conv6WinogradF2 ? { filters: weights } : { weights };
  return {
    kernel,
    label: kernel.name,
    constants: {},
    params: {
      batch,
      in_channels: inChannels,
      out_channels: outChannels,
      height,
      width,
      activation,
    },
    buffers: { input, ...named, bias, output },
    workgroups: workgroupsFor(kernel.name, items, 64),
  };
}

const fours = ({ shape }: ConvLayer): number => ceilDiv(shape.outChannels, 4);
const once = (...run: Dispatch[]): Recorded => ({ load: [], run });

function tiled(tiling: 'registers' | 'workgroup'): Rung<ConvLayer>['record'] {
  return ({ shape, batch, input, weights, bias, output }) =>
    once(conv(tiling, { label: tiling, shape, dtype: 'f32', batch, input, weights, bias, output }));
}

function winogradF4(product: 'registers' | 'quads' | 'workgroup'): Rung<ConvLayer>['record'] {
  return ({ arena, shape, batch, input, weights, bias, output, quads }) => {
    const method = { precision: 'f32', product, quads } as const;
    const label = 'F(4x4)';
    const scratch = winogradScratch(shape, batch, undefined, method);
    const filters = arena.take('F(4x4) filters', winogradFilterBytes(shape, method));
    const transformed = arena.take('F(4x4) transformed', scratch.transformed);
    const own = arena.take('F(4x4) product', scratch.product);
    const tensors = { input, filters, bias, transformed, product: own, output };
    return {
      load: [winogradFilters({ label, shape, dtype: 'f32', weights, filters, precision: 'f32' })],
      run: winogradConv({ label, shape, batch, ...tensors, method }),
    };
  };
}

export const convLadder: readonly Rung<ConvLayer>[] = [
  {
    name: '1 naive',
    idea: 'one invocation an output element, the definition written down',
    record: (layer) => {
      const { outChannels, height, width } = layer.shape;
      return once(
        study(conv1Naive, layer, layer.batch * outChannels * height * width, layer.plain),
      );
    },
  },
  {
    name: '2 channels',
    idea: 'four output channels an invocation: weights packed, a pixel read once for four',
    record: (layer) => {
      const { height, width } = layer.shape;
      const items = layer.batch * fours(layer) * height * width;
      return once(study(conv2Channels, layer, items, layer.weights));
    },
  },
  {
    name: '3 patch',
    idea: 'four pixels too: a weight read once for four',
    record: (layer) => {
      const { height, width } = layer.shape;
      const items = layer.batch * fours(layer) * height * ceilDiv(width, 4);
      return once(study(conv3Patch, layer, items, layer.weights));
    },
  },
  {
    name: '4 registers',
    idea: '2 x 14 pixels by 8 channels in registers, every loop over them written out',
    record: tiled('registers'),
  },
  {
    name: '5 workgroup',
    idea: 'implicit GEMM in tiles of workgroup memory that 128 invocations share',
    record: tiled('workgroup'),
  },
  {
    name: '6 Winograd F(2x2)',
    idea: '2.25 times fewer products; transforms fused into one kernel',
    record: (layer) => {
      const { arena, shape, batch, weights } = layer;
      const { inChannels, outChannels, height, width } = shape;
      const filters = arena.take('F(2x2) filters', winogradF2FilterBytes(inChannels, outChannels));
      const items = batch * fours(layer) * ceilDiv(height, 2) * ceilDiv(width, 2);
      return {
        load: [winogradF2FiltersOf('F(2x2) filters', inChannels, outChannels, weights, filters)],
        run: [study(conv6WinogradF2, layer, items, filters)],
      };
    },
  },
  {
    name: '7 Winograd F(4x4)',
    idea: '4 times fewer products; three kernels, input transformed once for all channels',
    record: winogradF4('registers'),
  },
  {
    name: '8 Winograd F(4x4), quads',
    idea: 'its products shared by four invocations: half the reads, four channels a round of the loop',
    needs: 'subgroups',
    allows: (sizes) => quadsFit({ channels: sizes.inChannels, outStride: outStride(sizes) }),
    record: winogradF4('quads'),
  },
  {
    name: '9 Winograd F(4x4), workgroup',
    idea: 'its products in tiles of workgroup memory: what a GPU runs',
    record: winogradF4('workgroup'),
  },
  {
    name: '10 Winograd F(2x2), fused',
    idea: 'one kernel for GPUs: transforms in workgroup memory, 16 products in registers, nothing else in memory',
    record: ({ arena, shape, batch, input, weights, bias, output }) => {
      const method = { precision: 'f32', sides: 1 } as const;
      const label = 'F(2x2)';
      const filters = arena.take('F(2x2) filters', fusedFilterBytes(shape, 'f32'));
      return {
        load: [fusedFilters({ label, shape, dtype: 'f32', weights, filters, precision: 'f32' })],
        run: [fusedConv({ label, shape, batch, input, filters, bias, output, method })],
      };
    },
  },
];

function tiledLinear(tiling: AnyLinearTiling): Rung<LinearLayer>['record'] {
  return ({ outFeatures, ...layer }) =>
    once(
      ...anyLinear(tiling, {
        ...layer,
        label: tiling,
        dtype: 'f32',
        outFeatures,
        firstOutput: 0,
        shardOutputs: outFeatures,
      }),
    );
}

export const linearLadder: readonly Rung<LinearLayer>[] = [
  {
    name: '1 scalar',
    idea: 'one invocation an output value, one number at a time',
    record: ({ inFeatures, outFeatures, activation, batch, input, plain, bias, output }) =>
      once({
        kernel: linear1Scalar,
        label: linear1Scalar.name,
        constants: {},
        params: { batch, in_features: inFeatures, out_features: outFeatures, activation },
        buffers: { input, weights: plain, bias, output },
        workgroups: workgroupsFor(linear1Scalar.name, batch * outFeatures, 64),
      }),
  },
  {
    name: '2 vec4',
    idea: 'four numbers a read, in rows padded to four',
    record: tiledLinear('naive'),
  },
  {
    name: '3 registers',
    idea: 'four outputs by up to eight images an invocation: weights read once for eight images',
    record: tiledLinear('registers'),
  },
  {
    name: '4 quads',
    idea: 'inputs read once for four invocations, which hand them round',
    needs: 'subgroups',
    record: tiledLinear('quads'),
  },
  {
    name: '5 workgroup',
    idea: 'tiles of 32 x 32 in workgroup memory: weights read once for 32 images',
    record: tiledLinear('workgroup'),
  },
];
