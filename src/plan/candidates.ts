import { CONV_TILES, PRODUCT_TILES, tileName, tilesWithin } from '../kernels/shared/gemm_tile';
import { outStride, type WinogradMethod } from '../kernels/winograd/winograd';
import { type MatrixUnits, matrixFits } from '../kernels/winograd/winograd_product';
import { type StoredDtype, storedAs } from '../numbers/dtypes';
import {
  allowsFused4x4,
  allowsHalfProducts,
  allowsProductInQuads,
  allowsQuads,
  allowsWinograd,
  type ConvDevice,
  type ConvMethod,
  type ConvSizes,
  fusedSides,
  HALF_PRODUCTS,
} from './conv_choice';

/*
 * What a tuning measures: every way to compute a convolution, and its name.
 */

/**
 * Every method worth measuring for a shape on a device. With f16 asked for, Winograd in f32 is not among them, and
 * the direct ways, which are exact, are. Matrix units appear here and nowhere in the table: only a measurement, which
 * begins with a comparison, can choose them.
 */
export function candidatesFor(shape: ConvSizes, device: ConvDevice): ConvMethod[] {
  const precision = storedAs(device.precision ?? 'f32');
  const direct: ConvMethod[] = device.isFallback
    ? [
        { kind: 'direct', tiling: 'registers' },
        ...(allowsProductInQuads(shape, device)
          ? [{ kind: 'direct', tiling: 'quads', quads: device.quads } as const]
          : []),
      ]
    : tilesWithin(CONV_TILES, device.maxInvocations).map((tile) => ({
        kind: 'direct',
        tiling: 'workgroup',
        tile,
      }));
  const transformed = [
    ...winogradCandidates(shape, device, precision).map(
      (method) => ({ kind: 'winograd', ...method }) as const,
    ),
    ...fusedSides(device).map((sides) => ({ kind: 'fused', precision, sides }) as const),
    ...(allowsHalfProducts(device) ? [HALF_PRODUCTS] : []),
    ...(allowsFused4x4(device) ? [{ kind: 'fused4x4', precision } as const] : []),
  ];
  return [...direct, ...transformed.filter((method) => allowsWinograd(shape, method))];
}

function winogradCandidates(
  shape: ConvSizes,
  device: ConvDevice,
  precision: StoredDtype,
): WinogradMethod[] {
  if (device.isFallback) {
    const quads = precision === 'f32' && allowsQuads(shape, device);
    return [
      { precision, product: 'registers' },
      ...(quads ? [{ precision, product: 'quads', quads: device.quads } as const] : []),
    ];
  }
  const units = precision === 'f16' ? (device.units ?? []) : [];
  return [
    ...tilesWithin(PRODUCT_TILES, device.maxInvocations).map(
      (tile): WinogradMethod => ({ precision, product: 'workgroup', tile }),
    ),
    ...units
      .filter((unit) => unitsFit(unit, shape))
      .map((unit): WinogradMethod => ({ precision, product: 'matrix', units: unit })),
  ];
}

function unitsFit(units: MatrixUnits, shape: ConvSizes): boolean {
  return matrixFits(units, { channels: shape.inChannels, outStride: outStride(shape) });
}

/** A method in words, as a key of measurements. */
export function methodName(method: ConvMethod): string {
  if (method.kind === 'fused4x4') {
    return `F(4x4) ${method.precision}, fused`;
  }
  if (method.kind === 'fused') {
    const products = method.products ? ' products' : '';
    return `F(2x2) ${method.precision}${products}, fused in ${16 * method.sides} KiB`;
  }
  const size = method.tile ? ` ${tileName(method.tile)}` : '';
  if (method.kind === 'direct') {
    return `direct, ${method.tiling}${size}`;
  }
  const { precision, product, units } = method;
  const unit = units ? ` ${units.m}x${units.n}x${units.k}` : '';
  return `F(4x4) ${precision}, ${product}${size}${unit}`;
}
