import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import type { ImplementationName } from './test/harness/case';
import { plugins } from './vite/base';

// A guard against hanging, far above what any test takes; no test asserts a time.
const guards = { testTimeout: 300_000, hookTimeout: 120_000 };

/**
 * Half of the cores for the cases in Chrome, the others for the files beside them. A software adapter uses several
 * cores for one case, and every further page compiles the same kernels once more.
 */
const half = Math.max(1, Math.floor(availableParallelism() / 2));

/**
 * Mesa's lavapipe, without LLVM's optimisations: what the tests compute takes far less time than LLVM takes for large
 * kernels. SPIR-V and what RADV makes of it stay as they are.
 */
process.env.GALLIVM_PERF ??= 'nopt';

/** Of a browser that `npm test` does not ask for. */
const IN_FIREFOX = 'test/firefox_*.test.ts';

/** Kills the GPU process in some phases of a run, and everywhere in all of them. */
const GPU_PROCESS = 'test/gpu_process.test.ts';

/** Every case in every implementation (npm run test:everywhere), or the usual ones and all other tests (npm test). */
const everywhere = process.env.SCORE_CAM_EVERYWHERE === '1';

/** The cases of test/gpu in one implementation of WebGPU, so many at a time. */
const cases = (
  implementation: ImplementationName,
  maxConcurrency: number,
  ...more: readonly string[]
) => ({
  plugins: plugins(),
  test: {
    name: implementation,
    include: ['test/gpu.test.ts', ...more],
    provide: { implementation, everywhere },
    maxConcurrency,
    ...guards,
  },
});

export default defineConfig({
  test: {
    globalSetup: ['test/harness/global-setup.ts'],
    maxWorkers: half + 1,
    // In the order of their names, the longest first.
    projects: everywhere
      ? [
          cases('chrome', half, GPU_PROCESS),
          cases('dawn', 1),
          cases('deno', 1),
          cases('firefox', 1, IN_FIREFOX),
        ]
      : [
          cases('chrome', half),
          cases('dawn', 1),
          {
            plugins: plugins(),
            test: {
              name: 'node',
              include: ['test/**/*.test.ts'],
              exclude: ['test/gpu.test.ts', IN_FIREFOX],
              ...guards,
            },
          },
        ],
  },
});
