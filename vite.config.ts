import { defineConfig } from 'vite';
import { plugins } from './vite/base';

/** The library: one ES module with no runtime dependencies; WGSL is inlined as text by `?raw`. */
export default defineConfig({
  plugins: plugins(),
  build: {
    lib: { entry: 'src/index.ts', formats: ['es'], fileName: 'score-cam-webgpu' },
    target: 'es2022',
    sourcemap: true,
  },
});
