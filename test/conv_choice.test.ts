import { describe, expect, it } from 'vitest';
import { chooseConvTile } from '../src/kernels/convolution/conv_workgroup';
import { type GemmTile, tileName } from '../src/kernels/shared/gemm_tile';
import {
  SLICING,
  sliceOf,
  type WinogradMethod,
  winogradScratch,
} from '../src/kernels/winograd/winograd';
import { chooseProductTile } from '../src/kernels/winograd/winograd_product';
import { candidatesFor, methodName } from '../src/plan/candidates';
import { chooseConv } from '../src/plan/conv_choice';

const shape = (inChannels: number, outChannels: number, size = 56, kernel: 1 | 3 = 3) => ({
  inChannels,
  outChannels,
  height: size,
  width: size,
  kernel,
});
const gpu = { isFallback: false } as const;
const units = { m: 16, n: 16, k: 16, lanes: 128 } as const;

describe('the method of a convolution', () => {
  const on = (precision: 'f32' | 'f16', ...sizes: Parameters<typeof shape>) =>
    methodName(chooseConv(shape(...sizes), { ...gpu, precision }));

  it('on GPUs: F(2x2) in one kernel until its products cost more than what F(4x4) moves', () => {
    expect(on('f32', 64, 64)).toBe('F(2x2) f32, fused in 16 KiB');
    expect(on('f32', 128, 256)).toBe('F(2x2) f32, fused in 16 KiB');
    expect(on('f32', 256, 256)).toBe('F(4x4) f32, workgroup');
    expect(on('f16', 64, 128)).toBe('F(2x2) f16, fused in 16 KiB');
    expect(on('f16', 128, 128)).toBe('F(4x4) f16, workgroup');
    expect(on('f32', 512, 512, 56, 1)).toBe('direct, workgroup');
    // Nor where there are few channels, or many that are none.
    expect(on('f32', 15, 64)).toBe('direct, workgroup');
    expect(on('f32', 16, 64)).toBe('F(2x2) f32, fused in 16 KiB');
    expect(on('f32', 64, 18)).toBe('direct, workgroup');
    expect(on('f32', 64, 19)).toBe('F(2x2) f32, fused in 16 KiB');
  });

  it('on GPUs: F(2x2) with products in f16 where they are asked for, and what f16 is elsewhere', () => {
    const device = { ...gpu, maxInvocations: 288, maxStorage: 32768 } as const;
    const asked = { ...device, precision: 'f16-products' } as const;
    const products = 'F(2x2) f16 products, fused in 16 KiB';
    const chosen = (...sizes: Parameters<typeof shape>) =>
      methodName(chooseConv(shape(...sizes), asked));
    expect(chosen(16, 32)).toBe(products);
    expect(chosen(512, 512, 14)).toBe(products);
    // Of 17 channels 32 are computed.
    expect(chosen(17, 64)).toBe('F(4x4) f16, fused');
    expect(chosen(15, 64)).toBe('F(4x4) f16, workgroup');
    expect(methodName(chooseConv(shape(64, 64), { ...asked, isFallback: true }))).toBe(
      'F(4x4) f16, registers',
    );
    const names = (own: Parameters<typeof candidatesFor>[1]) =>
      candidatesFor(shape(64, 64), own).map(methodName);
    const half = names({ ...device, precision: 'f16' });
    expect(half).not.toContain(products);
    expect(names(asked).filter((name) => name !== products)).toEqual(half);
    expect(names(asked)).toContain(products);
  });

  it('on GPUs: F(2x2) with what memory a workgroup has, and only of 256 invocations', () => {
    const names = (device: Partial<Parameters<typeof chooseConv>[1]>) => [
      methodName(chooseConv(shape(64, 64), { ...gpu, ...device })),
      ...candidatesFor(shape(64, 64), { ...gpu, ...device })
        .map(methodName)
        .filter((name) => name.startsWith('F(2x2)')),
    ];
    const [small, large] = ['F(2x2) f32, fused in 16 KiB', 'F(2x2) f32, fused in 32 KiB'];
    expect(names({})).toEqual([small, small]);
    expect(names({ maxStorage: 32767 })).toEqual([small, small]);
    expect(names({ maxStorage: 32768 })).toEqual([small, small, large]);
    expect(names({ maxInvocations: 128 })).toEqual(['F(4x4) f32, workgroup']);
  });

  it('on GPUs with workgroups of 288: F(4x4) in one kernel, where channels leave it fewest products', () => {
    const device = { ...gpu, maxInvocations: 288, maxStorage: 32768 } as const;
    const on = (own: Partial<typeof device>, ...sizes: Parameters<typeof shape>) =>
      methodName(chooseConv(shape(...sizes), { ...device, ...own }));
    expect(on({}, 64, 64)).toBe('F(4x4) f32, fused');
    expect(on({}, 512, 512, 14)).toBe('F(4x4) f32, fused');
    expect(on({}, 16, 64)).toBe('F(4x4) f32, fused');
    expect(on({}, 15, 64)).toBe('direct, workgroup');
    expect(on({}, 64, 8)).toBe('direct, workgroup');
    expect(on({}, 64, 64, 56, 1)).toBe('direct, workgroup');
    const without = 'F(2x2) f32, fused in 16 KiB';
    const less = { ...device, maxStorage: 29247 };
    expect(methodName(chooseConv(shape(64, 64), less))).toBe(without);
    expect(methodName(chooseConv(shape(64, 64), { ...device, maxInvocations: 256 }))).toBe(without);
    expect(candidatesFor(shape(64, 64), device).map(methodName)).toContain('F(4x4) f32, fused');
    expect(candidatesFor(shape(64, 64), less).map(methodName)).not.toContain('F(4x4) f32, fused');
  });

  it('on GPUs of small workgroups: F(4x4) where channels pay for the bytes it moves, C O / (C + O) from 24 or 12', () => {
    const on = (precision: 'f32' | 'f16', ...sizes: Parameters<typeof shape>) =>
      methodName(chooseConv(shape(...sizes), { ...gpu, precision, maxInvocations: 128 }));
    expect(on('f32', 64, 64)).toBe('F(4x4) f32, workgroup');
    expect(on('f32', 48, 48)).toBe('F(4x4) f32, workgroup');
    expect(on('f32', 48, 47)).toBe('direct, workgroup');
    expect(on('f16', 24, 24)).toBe('F(4x4) f16, workgroup');
    expect(on('f16', 24, 23)).toBe('direct, workgroup');
    expect(on('f32', 512, 512, 56, 1)).toBe('direct, workgroup');
  });

  it('on GPUs: directly where filters exceed what any device can bind', () => {
    expect(on('f32', 910, 1024)).toBe('F(4x4) f32, workgroup');
    expect(on('f32', 911, 1024)).toBe('direct, workgroup');
    expect(on('f16', 911, 1024)).toBe('F(4x4) f16, workgroup');
  });

  it('on software adapters: quads where subgroups have them and they divide the channels', () => {
    const software = { isFallback: true, quads: 2 } as const;
    const named = (device: Parameters<typeof chooseConv>[1], ...sizes: Parameters<typeof shape>) =>
      methodName(chooseConv(shape(...sizes), device));
    expect(chooseConv(shape(64, 64), software)).toMatchObject({ product: 'quads', quads: 2 });
    expect(named(software, 8, 25)).toBe('F(4x4) f32, quads');
    expect(named(software, 8, 24)).toBe('F(4x4) f32, registers');
    expect(named(software, 10, 32)).toBe('F(4x4) f32, registers');
    expect(named(software, 4, 32)).toBe('direct, registers');
    expect(chooseConv(shape(6, 17, 7, 1), software)).toMatchObject({ tiling: 'quads', quads: 2 });
    expect(named(software, 6, 16, 7, 1)).toBe('direct, registers');
    expect(named({ isFallback: true, quads: 0 }, 6, 17, 7, 1)).toBe('direct, registers');
    expect(named({ isFallback: true, quads: 0 }, 64, 64)).toBe('F(4x4) f32, registers');
    expect(named({ ...software, precision: 'f16' }, 64, 64)).toBe('F(4x4) f16, registers');
    expect(named({ ...software, isFallback: false }, 256, 256)).toBe('F(4x4) f32, workgroup');
    expect(candidatesFor(shape(64, 64), software).map(methodName)).toEqual([
      'direct, registers',
      'F(4x4) f32, registers',
      'F(4x4) f32, quads',
    ]);
    expect(candidatesFor(shape(64, 64, 7, 1), software).map(methodName)).toEqual([
      'direct, registers',
      'direct, quads',
    ]);
  });

  it('never takes matrix units unmeasured, though they are candidates in f16', () => {
    const device = { ...gpu, precision: 'f16', units: [units] } as const;
    expect(methodName(chooseConv(shape(256, 256), device))).toBe('F(4x4) f16, workgroup');
    const names = (precision: 'f32' | 'f16', channels: number) =>
      candidatesFor(shape(channels, 64), { ...device, precision })
        .map(methodName)
        .filter((name) => name.includes('matrix'));
    expect(names('f16', 64)).toEqual(['F(4x4) f16, matrix 16x16x16']);
    expect(names('f16', 72)).toEqual([]);
    expect(names('f32', 64)).toEqual([]);
  });
});

describe('the tile of the products', () => {
  const tile = (channels: number, tiles: number, products = 36) =>
    tileName(chooseProductTile(channels, tiles, products));

  it('is the largest that is filled and leaves work for every core', () => {
    expect(tile(512, 384)).toBe('128x128');
    expect(tile(64, 1792)).toBe('64x128');
    expect(tile(128, 64)).toBe('64x64');
    expect(tile(512, 64)).toBe('64x64');
    expect(tile(1024, 64)).toBe('128x64');
    expect(tile(8, 16)).toBe('64x64');
  });
});

describe('on a device of so many invocations a workgroup', () => {
  const invocations = ({ rows, cols }: GemmTile): number => rows * cols;
  const sizes = [1, 8, 64, 512].flatMap((outputs) =>
    [1, 14, 224].map((size) => ({ ...shape(64, outputs, size), activation: 0, pool: false })),
  );

  it.each([256, 128, 64])('%i, tiles are within them, and the largest are taken', (most) => {
    const device = { ...gpu, maxInvocations: most };
    const chosen = sizes.flatMap((own) =>
      [1, 9].flatMap((batch) => [
        invocations(chooseConvTile(own, batch, most)),
        invocations(chooseProductTile(own.outChannels, 16 * own.height * batch, 36, most)),
      ]),
    );
    expect(Math.max(...chosen)).toBe(most);
    const tiles = sizes
      .flatMap((own) => candidatesFor(own, device))
      .flatMap((method) => ('tile' in method ? [method.tile as GemmTile] : []))
      .map(invocations);
    expect(Math.max(...tiles)).toBe(most);
    // What chooses by shape when it is recorded knows of the limit.
    expect(chooseConv(shape(256, 256), device)).toMatchObject({
      kind: 'winograd',
      maxInvocations: most,
    });
    expect(chooseConv(shape(8, 8), device)).toMatchObject({
      kind: 'direct',
      maxInvocations: most,
    });
  });
});

describe('slices', () => {
  const method: WinogradMethod = { precision: 'f32', product: 'workgroup' };

  it('on a software adapter are even, multiples of 16 tiles and about 8 MiB, or 64 tiles', () => {
    for (const product of ['registers', 'quads'] as const) {
      const own: WinogradMethod = { ...method, product };
      // 910 tiles of conv1_2 take 8 MiB: 32 slices.
      expect(sliceOf(shape(64, 64, 224), 9 * 3136, own)).toBe(896);
      expect(sliceOf(shape(512, 512, 28), 9 * 49, own)).toBe(112);
      expect(sliceOf(shape(512, 512, 28), 49, own)).toBe(49);
      expect(sliceOf(shape(2048, 2048, 28), 9 * 49, own)).toBe(64);
    }
  });

  it('on a GPU are even, multiples of 128 tiles and about 16 MiB, or 384 tiles', () => {
    // conv1_2, nine masks: 28224 tiles; 1792 of them and 64 channels take 15.75 MiB.
    expect(sliceOf(shape(64, 64, 224), 9 * 3136, method)).toBe(1792);
    expect(sliceOf(shape(64, 64, 224), 3136, method)).toBe(1664);
    expect(sliceOf(shape(512, 512, 28), 9 * 49, method)).toBe(256);
    expect(sliceOf(shape(512, 512, 28), 384, method)).toBe(384);
    expect(sliceOf(shape(512, 512, 14), 100, method)).toBe(100);
    const scratch = winogradScratch(
      { ...shape(64, 64, 224), activation: 0, pool: false },
      9,
      undefined,
      method,
    );
    expect(scratch.transformed).toBeLessThanOrEqual(SLICING.gpu.bytes);
    expect(scratch.product).toBeLessThanOrEqual(SLICING.gpu.bytes);
  });
});
