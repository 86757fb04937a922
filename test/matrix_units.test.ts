import { describe, expect, it } from 'vitest';
import { shaderText } from '../src/gpu/shader_text';
import {
  MATRIX_FEATURE,
  matrixFits,
  matrixLanes,
  productByMatrix,
} from '../src/kernels/winograd/winograd_product';
import { lacking, openDawn } from './harness/dawn';
import { textOf } from './harness/kernels';

/*
 * The product by matrix units. No adapter at hand has them, so that nothing here computes: the kernel is compiled by
 * Dawn with its null backend, which offers the feature, and sizes are chosen.
 */

const units = (m: number, n: number, k: number, subgroupMaxSize = 32) => ({
  m,
  n,
  k,
  lanes: matrixLanes(subgroupMaxSize, 256),
});

describe('matrix units', () => {
  const sizes = { channels: 64, outStride: 64 };

  it('fit where they divide the matrices and a tile of 64 x 64', () => {
    expect(matrixFits(units(16, 16, 16), sizes)).toBe(true);
    expect(matrixFits(units(8, 8, 8), { channels: 8, outStride: 8 })).toBe(true);
    expect(matrixFits(units(16, 16, 16), { ...sizes, channels: 72 })).toBe(false);
    expect(matrixFits(units(16, 16, 16), { ...sizes, outStride: 72 })).toBe(false);
    expect(matrixFits(units(16, 16, 16, 512), sizes)).toBe(false);
    expect(matrixFits(units(64, 16, 16), sizes)).toBe(false);
    // The number of tiles is a multiple of 16 and no more.
    expect(matrixFits(units(16, 32, 16), sizes)).toBe(false);
  });

  it('get whole subgroups of the largest size, at most 256 invocations or what the device has', () => {
    const lanes = (most: number) => [8, 32, 64, 128, 256].map((size) => matrixLanes(size, most));
    expect(lanes(1024)).toEqual([32, 128, 256, 256, 256]);
    expect(lanes(128)).toEqual([32, 128, 128, 128, 0]);
  });
});

const dawn = await openDawn('backend=null', 'enable-dawn-features=allow_unsafe_apis');
const reason = await lacking(dawn, [MATRIX_FEATURE, 'shader-f16', 'subgroups']);
if (reason !== undefined) console.log(`The kernel for matrix units is not compiled: ${reason}.`);

describe.skipIf(reason !== undefined)('the kernel for matrix units compiles', () => {
  it.each([
    [16, 16, 16],
    [8, 8, 8],
    [16, 8, 16],
    [8, 16, 16],
  ])('%i x %i x %i', async (m, n, k) => {
    const adapter = (await dawn.gpu?.requestAdapter()) as GPUAdapter;
    const device = await adapter.requestDevice({
      requiredFeatures: [MATRIX_FEATURE as GPUFeatureName, 'shader-f16', 'subgroups'],
    });
    try {
      const of = units(m, n, k, (adapter.info as { subgroupMaxSize?: number }).subgroupMaxSize);
      const { kernel, constants } = productByMatrix(of, 64);
      const code = shaderText(textOf(kernel), constants);
      const module = device.createShaderModule({ code });
      expect((await module.getCompilationInfo()).messages.map(({ message }) => message)).toEqual(
        [],
      );
      const pipeline = await device.createComputePipelineAsync({
        layout: 'auto',
        compute: { module, entryPoint: 'main' },
      });
      expect(pipeline).toBeDefined();
    } finally {
      device.destroy();
    }
  });

  it('and a fault in it is found', async () => {
    const adapter = (await dawn.gpu?.requestAdapter()) as GPUAdapter;
    const device = await adapter.requestDevice({
      requiredFeatures: [MATRIX_FEATURE as GPUFeatureName, 'shader-f16', 'subgroups'],
    });
    try {
      const { kernel, constants } = productByMatrix(units(16, 16, 16), 64);
      const code = shaderText(textOf(kernel), constants);
      const faulty = code.replace('subgroupMatrixMultiplyAccumulate(u0, v0, s00)', 'u0 + v0');
      expect(faulty).not.toBe(code);
      device.pushErrorScope('validation');
      const module = device.createShaderModule({ code: faulty });
      const { messages } = await module.getCompilationInfo();
      await device.popErrorScope();
      expect(messages.some(({ type }) => type === 'error')).toBe(true);
    } finally {
      device.destroy();
    }
  });
});
