import { describe, expect, it } from 'vitest';
import { type AnyConvTiling, anyConv } from '../bench/ladder/naive';
import { type ConvShape, packConv } from '../src/kernels/convolution/conv';
import { chooseConvTiling } from '../src/plan/conv_choice';
import { halfValue } from './reference/weights';

const shape: ConvShape = {
  inChannels: 3,
  outChannels: 64,
  height: 224,
  width: 224,
  kernel: 3,
  activation: 0,
  pool: false,
};

// No dispatch looks into its buffers.
const slice = { buffer: {} as GPUBuffer };

function workgroups(tiling: AnyConvTiling, changes: Partial<ConvShape>, batch: number) {
  const args = { dtype: 'f32', input: slice, weights: slice, bias: slice, output: slice } as const;
  return anyConv(tiling, { label: 'test', shape: { ...shape, ...changes }, batch, ...args })
    .workgroups;
}

describe('chooseConvTiling', () => {
  it('keeps workgroup memory away from software adapters', () => {
    expect(chooseConvTiling({ isFallback: true })).toBe('registers');
    expect(chooseConvTiling({ isFallback: false })).toBe('workgroup');
  });
});

describe('packConv', () => {
  it.each([
    [1, 8],
    [7, 8],
    [8, 8],
    [9, 16],
  ])('pads %i output channels to %i with zeros', (outChannels, stride) => {
    const sizes = { inChannels: 2, outChannels, kernel: 3 } as const;
    const weights = Float32Array.from({ length: outChannels * 18 }, (_, i) => i + 1);
    const bias = Float32Array.from({ length: outChannels }, (_, i) => -i - 1);
    const packed = packConv(weights, bias, sizes, 'f32');
    const halves = packConv(weights, bias, sizes, 'f16');
    expect(packed.weights.length).toBe(18 * stride);
    expect(packed.bias.length).toBe(stride);
    expect(halves.weights).toBeInstanceOf(Uint16Array);
    expect(halves.weights.length).toBe(18 * stride);
    expect(halves.bias).toEqual(packed.bias);
    for (let o = 0; o < stride; o++) {
      const real = o < outChannels;
      expect(packed.bias[o]).toBe(real ? bias[o] : 0);
      for (let k = 0; k < 18; k++) {
        expect(packed.weights[k * stride + o]).toBe(real ? weights[o * 18 + k] : 0);
        expect(halfValue(halves.weights[k * stride + o] as number)).toBe(
          packed.weights[k * stride + o],
        );
      }
    }
  });

  it('refuses weights of another size', () => {
    const sizes = { inChannels: 2, outChannels: 4, kernel: 1 } as const;
    const pack = (weights: number, biases: number) => () =>
      packConv(new Float32Array(weights), new Float32Array(biases), sizes, 'f16');
    expect(pack(7, 4)).toThrow(/8 weights/);
    expect(pack(8, 5)).toThrow(/4 biases/);
  });

  it('refuses a weight that f16 cannot hold, by its index in the layer', () => {
    const sizes = { inChannels: 2, outChannels: 2, kernel: 1 } as const;
    const weights = Float32Array.of(0, 0, 70000, 0);
    expect(() => packConv(weights, new Float32Array(2), sizes, 'f16')).toThrow(/Weight 2 is 70000/);
  });
});

describe('workgroups of a convolution', () => {
  it('naive: 64 elements, a channel, an image', () => {
    expect(workgroups('naive', {}, 2)).toEqual([784, 64, 2]);
    expect(workgroups('naive', { pool: true, height: 3, width: 129 }, 1)).toEqual([1, 64, 1]);
  });

  it('registers: 16 patches of 2 x 14 x 8', () => {
    expect(workgroups('registers', {}, 1)).toEqual([896, 1, 1]);
    expect(workgroups('registers', { height: 3, width: 15, outChannels: 9 }, 3)).toEqual([2, 1, 1]);
  });

  it('workgroup: a tile that fits the channels, quads of all images', () => {
    // 12544 quads an image, 32 or 16 a workgroup; 64 channels fill a tile of 64.
    expect(workgroups('workgroup', {}, 4)).toEqual([1568, 1, 1]);
    expect(workgroups('workgroup', { outChannels: 65 }, 1)).toEqual([392, 3, 1]);
    expect(workgroups('workgroup', { outChannels: 128 }, 1)).toEqual([392, 1, 1]);
    expect(workgroups('workgroup', { outChannels: 32 }, 1)).toEqual([392, 1, 1]);
    // 49 quads in all.
    expect(workgroups('workgroup', { height: 14, width: 14 }, 1)).toEqual([4, 1, 1]);
    expect(workgroups('workgroup', {}, 400)).toEqual([52267, 1, 3]);
  });

  it('refuses a batch that needs more than 65535 in one dimension', () => {
    expect(workgroups('naive', {}, 65535)).toEqual([784, 64, 65535]);
    expect(() => workgroups('naive', {}, 65536)).toThrow(/65536 workgroups.*65535/s);
  });
});
