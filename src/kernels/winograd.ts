import type { ConvShape } from './conv_kernel';
import { checkedGrid, gridOf } from './grid';
import { ceilDiv, type Dispatch, defineKernel, type Slice } from './kernel';
import inputCode from './winograd_input.wgsl?raw';
import outputCode from './winograd_output.wgsl?raw';
import productCode from './winograd_product.wgsl?raw';

/*
 * Winograd F(4x4, 3x3): 36 products for 16 outputs instead of 144, in three registers-only kernels. Its
 * roundings are larger than a direct convolution's (about 1e-5 of a layer's largest value), far below
 * what a map shows. Used on software adapters, where arithmetic is what costs.
 */

const u32 = (name: string) => ({ name, type: 'u32' }) as const;

export const winogradInputKernel = defineKernel({
  name: 'winograd_input',
  code: inputCode,
  params: ['batch', 'channels', 'height', 'width', 'stride'].map(u32),
  storage: [
    { name: 'input', access: 'read' },
    { name: 'transformed', access: 'read_write' },
  ],
});

export const winogradProductKernel = defineKernel({
  name: 'winograd_product',
  code: productCode,
  params: ['channels', 'out_stride', 'stride'].map(u32),
  storage: [
    { name: 'filters', access: 'read' },
    { name: 'transformed', access: 'read' },
    { name: 'product', access: 'read_write' },
  ],
});

export const winogradOutputKernel = defineKernel({
  name: 'winograd_output',
  code: outputCode,
  params: [
    ...['batch', 'out_channels', 'out_stride', 'height', 'width', 'stride'].map(u32),
    { name: 'slope', type: 'f32' },
  ],
  storage: [
    { name: 'product', access: 'read' },
    { name: 'bias', access: 'read' },
    { name: 'output', access: 'read_write' },
  ],
  overrides: ['POOL'],
});

const outStride = (shape: ConvShape): number => 8 * ceilDiv(shape.outChannels, 8);

/** Tiles of 4x4 outputs in a batch, rounded up to what winograd_product takes at once. */
const tileStride = ({ height, width }: ConvShape, batch: number): number =>
  16 * ceilDiv(batch * ceilDiv(height, 4) * ceilDiv(width, 4), 16);

/**
 * Whether a convolution is computed so: 3x3, on a software adapter, with channels enough to pay for the
 * transforms. Pure, so that weights are transformed exactly for the layers that want them.
 */
export function choosesWinograd(
  shape: Pick<ConvShape, 'inChannels' | 'kernel'>,
  adapter: { readonly isFallback: boolean },
): boolean {
  return adapter.isFallback && shape.kernel === 3 && shape.inChannels >= 8;
}

/** Bytes of the two intermediate tensors, V and M. */
export function winogradScratch(
  shape: ConvShape,
  batch: number,
): { readonly transformed: number; readonly product: number } {
  const column = 4 * 36 * tileStride(shape, batch);
  return { transformed: column * shape.inChannels, product: column * outStride(shape) };
}

/** G, the filter transform. */
const G = [
  [1 / 4, 0, 0],
  [-1 / 6, -1 / 6, -1 / 6],
  [-1 / 6, 1 / 6, -1 / 6],
  [1 / 24, 1 / 12, 1 / 6],
  [1 / 24, -1 / 12, 1 / 6],
  [0, 0, 1],
] as const;

/** U = G g G^T of every filter of OIHW weights: [36, inChannels, outChannels rounded up to 8]. */
export function winogradFilters(weights: Float32Array, shape: ConvShape): Float32Array {
  const { inChannels, outChannels } = shape;
  const stride = outStride(shape);
  const filters = new Float32Array(36 * inChannels * stride);
  const half = new Float64Array(18);
  for (let o = 0; o < outChannels; o++) {
    for (let c = 0; c < inChannels; c++) {
      const at = 9 * (o * inChannels + c);
      G.forEach(([a, b, d], i) => {
        for (let x = 0; x < 3; x++) {
          half[3 * i + x] =
            a * (weights[at + x] as number) +
            b * (weights[at + 3 + x] as number) +
            d * (weights[at + 6 + x] as number);
        }
      });
      for (let i = 0; i < 6; i++) {
        const [p, q, r] = half.subarray(3 * i, 3 * i + 3) as unknown as [number, number, number];
        G.forEach(([a, b, d], j) => {
          filters[((6 * i + j) * inChannels + c) * stride + o] = a * p + b * q + d * r;
        });
      }
    }
  }
  return filters;
}

export interface WinogradArgs {
  readonly label: string;
  readonly shape: ConvShape;
  readonly batch: number;
  /** [batch, inChannels, height, width] */
  readonly input: Slice;
  /** From {@link winogradFilters}. */
  readonly filters: Slice;
  /** Padded as `packConv` does. */
  readonly bias: Slice;
  /** Scratch of the sizes that {@link winogradScratch} says. */
  readonly transformed: Slice;
  readonly product: Slice;
  /** [batch, outChannels, height, width], or half of both when pooled. */
  readonly output: Slice;
}

/** Convolution, bias, activation and optional pooling, as three dispatches. */
export function winogradConv(args: WinogradArgs): Dispatch[] {
  const { label, shape, batch, input, filters, bias, transformed, product, output } = args;
  const { inChannels, outChannels, height, width } = shape;
  const tiles = batch * ceilDiv(height, 4) * ceilDiv(width, 4);
  const stride = tileStride(shape, batch);
  const out_stride = outStride(shape);
  const products = ceilDiv((out_stride / 8) * (stride / 16), 16);
  return [
    {
      kernel: winogradInputKernel,
      label,
      constants: {},
      params: { batch, channels: inChannels, height, width, stride },
      buffers: { input, transformed },
      workgroups: gridOf(label, tiles * inChannels, 64),
    },
    {
      kernel: winogradProductKernel,
      label,
      constants: {},
      params: { channels: inChannels, out_stride, stride },
      buffers: { filters, transformed, product },
      workgroups: checkedGrid(label, [products, 1, 36]),
    },
    {
      kernel: winogradOutputKernel,
      label,
      constants: { POOL: Number(shape.pool) },
      params: {
        batch,
        out_channels: outChannels,
        out_stride,
        height,
        width,
        stride,
        slope: shape.slope,
      },
      buffers: { product, bias, output },
      workgroups: gridOf(label, tiles * outChannels, 64),
    },
  ];
}
