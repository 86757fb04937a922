import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { firstLayerSubjects, kernelSubjects } from '../bench/measure/kernels/all';
import { runsOn } from '../bench/measure/kernels/subject';
import { Arena } from '../src/gpu/arena';
import { Gpu } from '../src/gpu/gpu';
import { FUSED_4X4_INVOCATIONS } from '../src/kernels/winograd/winograd_fused';
import { lacking, openDawn } from './harness/dawn';
import { runScript } from './harness/run-script';

/*
 * What the bench measures can be compiled by the device that it is measured on: by a software adapter of Vulkan, as a
 * device of any limits. Nothing is computed.
 */

const dawn = await openDawn('backend=vulkan');
const reason = await lacking(dawn, ['shader-f16', 'subgroups']);
if (reason !== undefined) console.log(`What the bench measures is not compiled: ${reason}.`);

const SCALE = { peak: { gflops: 1, gbps: 1 }, maxBindingBytes: 2 ** 27, small: true };

describe.skipIf(reason !== undefined)('kernels that the bench measures', () => {
  it.each([
    ['that has 256 invocations and no features, as SwiftShader', 256, []],
    ['that has workgroups for F(4x4) in one kernel', FUSED_4X4_INVOCATIONS, []],
    ['of f16 and subgroups, too', FUSED_4X4_INVOCATIONS, ['shader-f16', 'subgroups']],
  ] as const)('compile on a device %s', async (_, invocations, features) => {
    const adapter = (await dawn.gpu?.requestAdapter()) as GPUAdapter;
    const device = await adapter.requestDevice({
      requiredFeatures: [...features],
      requiredLimits: {
        maxComputeInvocationsPerWorkgroup: invocations,
        maxComputeWorkgroupSizeX: invocations,
        maxComputeWorkgroupStorageSize: 32768,
        maxStorageBuffersPerShaderStage: 8,
      },
    });
    const gpu = await Gpu.create({ device });
    const subjects = [...kernelSubjects, ...firstLayerSubjects].filter(runsOn(gpu));
    const isMeasured = (name: string): boolean => subjects.some((one) => one.name === name);
    expect(isMeasured('winograd_4x4_fused')).toBe(invocations > 256);
    expect(isMeasured('winograd_4x4_fused_half')).toBe(features.length > 0);
    const arena = new Arena(gpu);
    for (const subject of subjects) {
      const { load = [], run } = subject.record(arena, SCALE);
      await gpu.compile([...load, ...run]).catch((error: Error) => {
        throw new Error(`${subject.name}: ${error.message}`);
      });
    }
    arena.dispose();
    gpu.dispose();
    device.destroy();
  });

  it('are measured by Dawn in Node, in one file', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'score-cam-bench-dawn-'));
    try {
      const args = ['--dawn', '--runs', '1', '--out', join(folder, 'out.json')];
      const { stdout, stderr } = await runScript('bench/bench.ts', args, {
        // As the command runs it: Vite bundles otherwise in tests.
        env: { NODE_ENV: 'production' },
        // All of it takes minutes.
        onStart: (child) =>
          child.stdout?.on('data', (text) => /submitted and waited/.test(text) && child.kill()),
      });
      expect(stdout, stderr).toMatch(/^empty dispatch +[\d.]+ ms/m);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
