import { describe, expect, it } from 'vitest';
import { shaderText } from '../src/gpu/shader_text';
import { MATRIX_FEATURE } from '../src/kernels/winograd/winograd_product';
import { shortened } from '../vite/shorten';
import { lacking, openDawn } from './harness/dawn';
import { constantsOf, kernels, textOf } from './harness/kernels';

/** What ships of a shader's text. */

const short = (text: string): string => shortened(['file', 1, text])[2];

describe('a declaration as it ships', () => {
  it('has short names inside, and keeps those of others', () => {
    expect(
      short(
        'fn scaled(value: vec4f, scale: f32) -> vec4f { let twice = 2.0 * scale; return twice * value; }',
      ),
    ).toBe('fn scaled(a:vec4f,b:f32)->vec4f{let c=2.0*b;return c*a;}');
    expect(short('fn row(at: u32) -> f32 { let x = data[at].x; return x + params.at; }')).toBe(
      'fn row(a:u32)->f32{let b=data[a].x;return b+params.at;}',
    );
  });

  it('takes no name that is used, and leaves one that is called', () => {
    expect(short('fn f(row: u32) -> u32 { return a + b(row); }')).toBe(
      'fn f(c:u32)->u32{return a+b(c);}',
    );
    expect(short('fn f(at: u32) -> u32 { let row = row(at); return row; }')).toBe(
      'fn f(a:u32)->u32{let row=row(a);return row;}',
    );
  });

  it('keeps the names of built-in values, and blanks between words and signs', () => {
    expect(
      short(
        '@compute @workgroup_size(64) fn main(@builtin(workgroup_id) workgroup_id: vec3u) { x = - -workgroup_id.x; }',
      ),
    ).toBe('@compute@workgroup_size(64)fn main(@builtin(workgroup_id)a:vec3u){x= - -a.x;}');
    expect(short('var<private> first : u32;')).toBe('var<private>first:u32;');
    expect(short('struct Params { at: u32, row: u32 }')).toBe('struct Params{at:u32,row:u32}');
  });

  it('keeps its lines', () => {
    expect(short('fn f() {\n\n  let one = 1;\n\n  return;\n}')).toBe(
      'fn f(){\n\nlet a=1;\n\nreturn;\n}',
    );
  });

  it('has more names than letters', () => {
    const declared = Array.from({ length: 200 }, (_, i) => `let name_${i} = ${i};`).join(' ');
    const names = [...short(`fn f() { ${declared} }`).matchAll(/let (\w+)=/g)].map(
      ([, name]) => name,
    );
    expect(new Set(names).size).toBe(200);
    for (const word of ['if', 'fn', 'do', 'as']) expect(names).not.toContain(word);
  });
});

const dawn = await openDawn('backend=null', 'enable-dawn-features=allow_unsafe_apis');
const features = [MATRIX_FEATURE, 'shader-f16', 'subgroups'];
const reason = await lacking(dawn, features);
if (reason !== undefined) console.log(`What ships of shaders is not compiled: ${reason}.`);

describe.skipIf(reason !== undefined)('every kernel as it ships compiles', () => {
  it.each(kernels.map((kernel) => [kernel.name, kernel] as const))('%s', async (_, kernel) => {
    const adapter = (await dawn.gpu?.requestAdapter()) as GPUAdapter;
    const device = await adapter.requestDevice({ requiredFeatures: features as GPUFeatureName[] });
    try {
      const text = textOf(kernel).map(shortened);
      for (const constants of constantsOf(kernel)) {
        const code = shaderText(text, constants);
        expect(code.length).toBeLessThan(shaderText(textOf(kernel), constants).length);
        const { messages } = await device.createShaderModule({ code }).getCompilationInfo();
        expect(
          messages.filter(({ type }) => type === 'error').map(({ message }) => message),
        ).toEqual([]);
      }
    } finally {
      device.destroy();
    }
  });
});
