import { defineConfig } from 'vite';
import { plugins } from './vite/base';

/**
 * The library: one ES module with no runtime dependencies; WGSL is inlined as text by `?raw`, and so are the methods,
 * which are loaded on demand elsewhere.
 */
export default defineConfig({
  plugins: plugins(),
  build: {
    lib: { entry: 'src/index.ts', formats: ['es'], fileName: 'score-cam-webgpu' },
    target: 'es2022',
    sourcemap: true,
    rollupOptions: { output: { inlineDynamicImports: true } },
  },
});
