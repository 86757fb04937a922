import { type Node, type Var, WgslParser, WgslReflect } from 'wgsl_reflect/wgsl_reflect.module.js';
import type { Kernel } from '../../src/gpu/kernel';

/** What a kernel is limited to, so that it runs on every WebGPU device. */
const LIMITS = { invocations: 256, workgroupBytes: 16384, storageBindings: 8 } as const;

/** Everything that is wrong with a kernel's declaration or text, in words; empty when nothing is. */
export function problemsOf(kernel: Kernel): string[] {
  const code = parseable(kernel.code);
  const shader = new WgslReflect(code);
  const bindings = shader.getBindGroups().flatMap((group) => group.filter(Boolean));
  const params = bindings.find(({ name }) => name === 'params')?.members ?? [];
  const storageBindings = kernel.bindings.filter(({ access }) => access !== 'uniform').length;
  const size = shader.entry.compute[0]?.workgroupSize ?? [0];
  const invocations = size.map((each) => sizeIn(each, code)).reduce((a, b) => a * b);
  return [
    ...differences(
      'bindings',
      kernel.bindings.map(({ name, access }, i) => `@group(0) @binding(${i}) ${access} ${name}`),
      bindings.map(
        ({ name, group, binding, resourceType, access }) =>
          `@group(${group}) @binding(${binding}) ${resourceType === 0 ? 'uniform' : access} ${name}`,
      ),
    ),
    ...differences(
      'params',
      kernel.params.map(({ name, type }, i) => `${name}: ${type} at byte ${4 * i}`),
      params.map(({ name, type, offset }) => `${name}: ${type.name} at byte ${offset}`),
    ),
    ...differences(
      'overrides',
      [...kernel.overrides].sort(),
      // WebGPU takes values by name only where there is no @id.
      shader.overrides.map(({ name, attributes }) => (attributes ? `@id ${name}` : name)).sort(),
    ),
    ...differences(
      'entry points',
      ['main'],
      Object.values(shader.entry).flatMap((functions: { name: string }[]) =>
        functions.map(({ name }) => name),
      ),
    ),
    ...aboveLimit('invocations a workgroup', invocations, LIMITS.invocations),
    ...aboveLimit('bytes of workgroup memory', workgroupBytes(code), LIMITS.workgroupBytes),
    ...aboveLimit('storage bindings', storageBindings, LIMITS.storageBindings),
  ];
}

/** A number, or the default of the override that stands for it; NaN where it has none. */
function sizeIn(size: number | string, code: string): number {
  const found = new RegExp(`override ${size}\\b[^;]*=\\s*(\\d+)`).exec(code)?.[1];
  return Number(found ?? size);
}

/**
 * wgsl_reflect 1.6 takes `block` for a keyword, which it is not in WGSL: variables get another name. It does not
 * know matrix units: their types become f32, their functions lose their templates.
 */
function parseable(code: string): string {
  return code
    .replace(/\bblock\b/g, 'block_')
    .replace(/\bsubgroup_matrix_\w+<[^>]*>/g, 'f32')
    .replace(/\b(subgroupMatrix\w+)<[^>]*>/g, '$1');
}

function differences(
  what: string,
  declared: readonly string[],
  shader: readonly string[],
): string[] {
  const [here, there] = [declared.join('; '), shader.join('; ')];
  return here === there ? [] : [`${what}: declared "${here}", the shader has "${there}"`];
}

/** Also for 0 or NaN: a number that could not be found is no proof. */
function aboveLimit(what: string, value: number, limit: number): string[] {
  const least = what.startsWith('bytes') ? 0 : 1;
  return value >= least && value <= limit ? [] : [`${what}: ${value}, the limit is ${limit}`];
}

/** Bytes of all workgroup variables, overrides at their defaults; NaN where one has no size. */
function workgroupBytes(code: string): number {
  // The reflection evaluates constants but takes an array sized by an override for one element.
  const text = code.replace(/^override\b(?=[^;]*=)/gm, 'const');
  const shader = new WgslReflect(text);
  const unsized = new Set(shader.overrides.map(({ name }) => name));
  const declarations = text.match(/var<workgroup>[^;]*;/g) ?? [];
  if (declarations.some((line) => (line.match(/\w+/g) ?? []).some((word) => unsized.has(word)))) {
    return Number.NaN;
  }
  return new WgslParser()
    .parse(text)
    .filter(isWorkgroupVariable)
    .reduce((bytes, { type }) => {
      const size = type ? shader.getTypeInfo(type)?.size : undefined;
      return bytes + (size ?? Number.NaN);
    }, 0);
}

function isWorkgroupVariable(node: Node): node is Var {
  return 'storage' in node && node.storage === 'workgroup';
}
