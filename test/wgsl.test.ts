import { join } from 'node:path';
import { build, createServer, type Rollup } from 'vite';
import { describe, expect, it } from 'vitest';
import { projectRoot } from '../cli/server';
import { baseConfig } from '../vite/base';
import { topLevelOf } from '../vite/declarations';
import { linkKernel } from '../vite/link';

/** The plugin that links .wgsl files. */

const root = join(projectRoot, 'src/kernels');
const pathOf = (file: string): string => join(root, file);

describe('a build', () => {
  it('has text that variants and kernels share once, and no comments', async () => {
    const built = await build({
      ...baseConfig(projectRoot),
      build: {
        write: false,
        minify: false,
        lib: { entry: pathOf('convolution/conv.ts'), formats: ['es'], fileName: 'conv' },
      },
    });
    const { output } = (built as [Rollup.RollupOutput])[0];
    const code = output.map((chunk) => ('code' in chunk ? chunk.code : '')).join('\n');
    const count = (text: string): number => code.split(text).length - 1;
    // In six variants of one kernel.
    expect(count('fn add_taps(')).toBe(1);
    // In two kernels of two and four variants.
    expect(count('fn store_quad(')).toBe(1);
    // Once for each type of weights.
    expect(count('fn unpack(')).toBe(2);
    expect(count('Made for SwiftShader')).toBe(0);
  });
});

describe('a server', () => {
  it('reads a kernel anew when what it imports has changed', async () => {
    const server = await createServer({
      ...baseConfig(projectRoot),
      optimizeDeps: { noDiscovery: true },
      server: { middlewareMode: true, ws: false, watch: null },
    });
    try {
      const { moduleGraph } = server.environments.client;
      await server.transformRequest('/src/kernels/winograd/winograd_input.wgsl');
      await server.transformRequest('/src/kernels/layers/softmax.wgsl');
      const kernels = [...(moduleGraph.getModulesByFile(pathOf('winograd/stored.wgsl')) ?? [])]
        .flatMap(({ importers }) => [...importers])
        .map(({ url }) => url);
      expect(kernels).toEqual(['/src/kernels/winograd/winograd_input.wgsl']);
    } finally {
      await server.close();
    }
  });
});

describe('linking', () => {
  it('says which constants a kernel takes from the host', () => {
    const { constants, text } = linkKernel(
      pathOf('winograd/winograd_product_workgroup.wgsl'),
      root,
      { stored_f32: true },
      () => {},
    );
    expect(constants).toEqual(['COLS', 'ROWS']);
    expect(text.some(([file]) => file === 'constants')).toBe(false);
  });

  it('names file and line of what is not there', () => {
    // Without a type of weights there is no `Four`.
    expect(() => linkKernel(pathOf('convolution/turn_filters.wgsl'), root, {}, () => {})).toThrow(
      /'Four'.*turn_filters\.wgsl|turn_filters\.wgsl.*'Four'/s,
    );
  });

  it('cuts text where a directive or declaration ends', () => {
    const code = `enable f16;
struct A { a: array<u32, 2>, }
@group(0) @binding(0) var<storage> b: array<A>;
fn main() { for (var i = 0u; i < 2u; i++) { } }
`;
    const found = topLevelOf(code);
    expect(found.map(({ text }) => text)).toEqual(code.trim().split('\n'));
    expect(found.map(({ start }) => code.slice(start, start + 2))).toEqual([
      'en',
      'st',
      '@g',
      'fn',
    ]);
  });
});
