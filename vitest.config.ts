import { defineConfig } from 'vitest/config';
import { plugins } from './vite/base';

export default defineConfig({
  plugins: plugins(),
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/harness/global-setup.ts'],
    // All GPU tests share one software adapter on few cores: files in parallel would only queue.
    fileParallelism: false,
    // A guard against hanging, far above what any test takes; no test asserts a time.
    testTimeout: 300_000,
    hookTimeout: 120_000,
  },
});
