import { spawnSync } from 'node:child_process';
import { CliError } from '../../cli/errors';
import type { Bound } from './vulkan';

/** A shader in SPIR-V's assembly. */
export interface Shader {
  readonly text: string;
  readonly entry: string;
  readonly bound: readonly Bound[];
  /** Whether it multiplies by matrix units. */
  readonly hasMatrices: boolean;
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

/** Of SPV_KHR_cooperative_matrix, which Debian's spirv-as does not know: the opcodes, and names of other operands. */
const OPCODES: Readonly<Record<string, number>> = {
  OpTypeCooperativeMatrixKHR: 4456,
  OpCooperativeMatrixLoadKHR: 4457,
  OpCooperativeMatrixStoreKHR: 4458,
  OpCooperativeMatrixMulAddKHR: 4459,
};
const OPERANDS: Readonly<Record<string, number>> = {
  None: 0,
  NoneKHR: 0,
  NonPrivatePointer: 0x20,
  CooperativeMatrixKHR: 6022,
};

const numberOf = (operand: string): string =>
  operand in OPERANDS ? `!${OPERANDS[operand]}` : operand;

/**
 * The same with matrices in the assembler's own notation for words that it does not know. The first has an instruction's
 * length and opcode, and a result stands where it does in the module: behind its type, or first in the definition of one.
 */
function inNumbers(text: string): string {
  return text
    .split('\n')
    .map((line) => {
      const [, result, op = '', rest = ''] =
        /^\s*(?:(%\S+) = )?(Op\w*CooperativeMatrix\w+|OpCapability) (.*)$/.exec(line) ?? [];
      const opcode = OPCODES[op];
      const operands = rest.split(' ').map(numberOf);
      if (opcode === undefined) return op === 'OpCapability' ? `${op} ${operands.join(' ')}` : line;
      const isType = op.startsWith('OpType');
      if (result !== undefined) operands.splice(isType ? 0 : 1, 0, result);
      const words = `!${((operands.length + 1) << 16) | opcode} ${operands.join(' ')}`;
      // Words behind an instruction of any length would be more of its operands.
      return isType ? words : `OpNop\n${words}`;
    })
    .join('\n');
}

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
  const hasMatrices = /CooperativeMatrixKHR/.test(text);
  return { text: hasMatrices ? inNumbers(text) : text, entry, bound, hasMatrices };
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
