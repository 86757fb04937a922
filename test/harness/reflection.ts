import { type Node, type Var, WgslParser, WgslReflect } from 'wgsl_reflect/wgsl_reflect.module.js';
import { KERNEL_NEEDS } from '../../src/gpu/limits';
import { topLevelOf } from '../../vite/declarations';
import { interfaceOf } from '../../vite/reflect';
import { unportable } from './portability';

/** What a kernel may take. The other limits are the same on all devices. */
interface Allowed {
  /** Invocations of a workgroup. */
  readonly maxInvocations?: number;
  /** Bytes of its memory. */
  readonly maxStorage?: number;
  /** Extensions that it may enable. */
  readonly extensions?: readonly string[];
}

/** Everything that is wrong with a kernel's text, constants included, in words; empty when nothing is. */
export function problemsOf(
  code: string,
  {
    maxInvocations = 256,
    maxStorage = KERNEL_NEEDS.maxComputeWorkgroupStorageSize,
    extensions = [],
  }: Allowed = {},
): string[] {
  const { bindings } = interfaceOf(code);
  const texts = topLevelOf(code).map(({ text }) => text);
  const entries = texts.filter((text) => /@(compute|vertex|fragment)\b/.test(text));
  const heads = entries.map((text) => text.slice(0, text.indexOf('(', text.indexOf('fn '))));
  if (heads.length !== 1 || !heads[0]?.endsWith('fn main')) {
    return [`entry points: ${heads.length}, main is to be the only one`];
  }
  const workgroup = texts.filter((text) => text.startsWith('var<workgroup>'));
  // Before the sizes: those that hang on an override cannot be computed here.
  const foreign = unportable(code, extensions);
  if (foreign.length > 0) return foreign;
  const [, size = ''] = /@workgroup_size\((.*)\)/s.exec(heads[0]) ?? [];
  const storage = bindings.filter(({ access }) => access !== 'uniform');
  return [
    // As many elements as invocations, whatever expression they are.
    ...aboveLimit(
      'invocations a workgroup',
      bytesOf(texts, `var<workgroup> all: array<u32, ${size.replaceAll(',', ' *')}>;`) / 4,
      maxInvocations,
    ),
    ...aboveLimit(
      'bytes of workgroup memory',
      workgroup.reduce((bytes, text) => bytes + bytesOf(texts, text), 0),
      maxStorage,
    ),
    ...aboveLimit('storage bindings', storage.length, KERNEL_NEEDS.maxStorageBuffersPerShaderStage),
  ];
}

const constantsIn = (texts: readonly string[]): string =>
  texts.filter((text) => text.startsWith('const ')).join('\n');

/** Also for 0 or NaN: a number that could not be found is no proof. */
function aboveLimit(what: string, value: number, limit: number): string[] {
  const least = what.startsWith('bytes') ? 0 : 1;
  return value >= least && value <= limit ? [] : [`${what}: ${value}, the limit is ${limit}`];
}

/** Bytes of one workgroup variable; NaN where it has no size. */
function bytesOf(texts: readonly string[], declaration: string): number {
  const text = `${constantsIn(texts)}\n${declaration}`;
  const shader = new WgslReflect(text);
  const variable = new WgslParser().parse(text).find(isWorkgroupVariable);
  return (variable?.type && shader.getTypeInfo(variable.type)?.size) ?? Number.NaN;
}

function isWorkgroupVariable(node: Node): node is Var {
  return 'storage' in node && node.storage === 'workgroup';
}
