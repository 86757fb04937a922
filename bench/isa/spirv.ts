import { spawnSync } from 'node:child_process';
import { CliError } from '../../cli/errors';
import type { Bound } from './vulkan';

/** A shader in SPIR-V's assembly. */
export interface Shader {
  readonly text: string;
  readonly entry: string;
  readonly bound: readonly Bound[];
}

/** The shaders that Dawn printed, in their order. */
export function shadersIn(printed: string): Shader[] {
  return printed
    .split(/^; SPIR-V$/m)
    .slice(1)
    .map((part) => shaderOf(part.slice(0, part.lastIndexOf('OpFunctionEnd') + 13)));
}

/** Newer than what distributions' spirv-as knows, and without meaning for what is compiled. */
const UNKNOWN = /MaximallyReconverges|SPV_KHR_maximal_reconvergence/;

/** @throws Error for a text that is no compute shader */
function shaderOf(part: string): Shader {
  const lines = part.split('\n').filter((line) => !UNKNOWN.test(line) && !/^\s*;/.test(line));
  const text = `${lines.join('\n')}\n`;
  const entry = /OpEntryPoint GLCompute \S+ "([^"]+)"/.exec(text)?.[1];
  if (entry === undefined) throw new Error('What Dawn printed is no compute shader.');
  const bound = [...text.matchAll(/OpDecorate (%\S+) Binding (\d+)/g)].map(
    ([, id = '', binding]) => ({
      binding: Number(binding),
      isUniform: new RegExp(`^\\s*${id} = OpVariable \\S+ Uniform\\b`, 'm').test(text),
    }),
  );
  return { text, entry, bound };
}

/** @throws CliError with what spirv-as says */
export function assemble({ text }: Shader): Uint8Array {
  const args = ['--target-env', 'vulkan1.3', '-o', '-', '-'];
  const { stdout, stderr, status } = spawnSync('spirv-as', args, {
    input: text,
    maxBuffer: 64 * 1024 * 1024,
  });
  if (status === 0) return stdout;
  throw new CliError(`spirv-as refuses what Dawn made: ${String(stderr).trim()}`);
}
