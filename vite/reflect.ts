import { WgslReflect } from 'wgsl_reflect/wgsl_reflect.module.js';
import type { Binding, Interface, Param } from '../src/gpu/kernel';
import { topLevelOf } from './declarations';

/** What can be read from a shader's text. */
export type Reflected = Omit<Interface, 'constants'>;

/**
 * What of a shader the reflection gets to see: wgsl_reflect 1.6 knows neither matrix units nor that `block` is no
 * keyword, and bodies of functions say nothing about an interface.
 */
const READ =
  /^(struct|alias|const|override|(@\w+(\([^)]*\))?\s*)*(override|var)\b)(?!.*subgroup_matrix)/s;

/** Members of `Params` have 4 bytes each and follow each other: what the host writes. */
const PARAM_BYTES = 4;

/**
 * Bindings, uniform parameters and overrides of a shader.
 * @throws Error for what the host has no means to give: other groups, other types in `Params`, numbered overrides
 */
export function interfaceOf(code: string): Reflected {
  const seen = topLevelOf(code).filter(({ text }) => READ.test(text));
  const declarations = seen.map(({ text }) => text.replace(/\bblock\b/g, 'block_'));
  const shader = new WgslReflect(
    [...declarations, '@compute @workgroup_size(1) fn main() {}'].join('\n'),
  );
  const bound = shader.getBindGroups().flatMap((group, index) => {
    const own = group.filter(Boolean);
    if (index > 0 && own.length > 0) {
      throw new Error(`bindings are in @group(0), "${own[0]?.name}" is in @group(${index})`);
    }
    return own;
  });
  const bindings = bound.map(({ name, binding, resourceType, access }): Binding => {
    if (resourceType === 0) {
      if (name !== 'params' || binding !== 0) {
        throw new Error(`the uniform is "params" at @binding(0), not "${name}" at ${binding}`);
      }
      return { name, binding, access: 'uniform' };
    }
    if (access !== 'read' && access !== 'read_write') {
      throw new Error(`"${name}" is bound for "${access}": read or read_write`);
    }
    return { name: name.replace(/^block_$/, 'block'), binding, access };
  });
  const members = bound.find(({ name }) => name === 'params')?.members ?? [];
  const params = members.map(({ name, type, offset }, index): Param => {
    if ((type.name !== 'u32' && type.name !== 'f32') || offset !== index * PARAM_BYTES) {
      throw new Error(
        `Params.${name} is ${type.name} at byte ${offset}: ` +
          `a u32 or f32 at byte ${index * PARAM_BYTES} is what the host writes`,
      );
    }
    return { name, type: type.name };
  });
  const overrides = shader.overrides.map(({ name, attributes }) => {
    if (attributes) throw new Error(`override ${name} has an @id: values are given by name`);
    return name;
  });
  return { bindings, params, overrides };
}
