import { defineConfig } from 'vite';
import { plugins } from './vite/base';

/** The library: one ES module with no runtime dependencies; vite/wgsl.ts links WGSL. */
export default defineConfig({
  plugins: plugins(),
  build: {
    lib: { entry: 'src/index.ts', formats: ['es'], fileName: 'score-cam-webgpu' },
    target: 'es2022',
    sourcemap: true,
  },
});
