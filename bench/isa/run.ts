import { fork, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CliError } from '../../cli/errors';
import { projectRoot } from '../../cli/server';
import { buildScript } from '../../vite/script';
import type { Request } from './compile';
import type { Dumped, DumpOptions } from './dump';
import type { Selection } from './pipelines';
import { assemble, shadersIn } from './spirv';
import type { Tools } from './tools';
import { CHIPS, type Chip, type ChipResults, type IsaResults } from './types';

/**
 * Compiles kernels for GPUs that are not there.
 * @throws CliError where a tool fails, with what it says
 */
export async function compileKernels(
  tools: Tools,
  selection: Selection,
  chips: readonly Chip[],
  signal: AbortSignal,
): Promise<IsaResults> {
  const folder = mkdtempSync(join(tmpdir(), 'score-cam-isa-'));
  try {
    const { pipelines, ways, requests } = await shaders(tools, selection, folder, signal);
    const compiled = await Promise.all(
      chips.map((chip) => compileFor(chip, tools.radv, requests, signal)),
    );
    const [{ version }] = compiled as [ChipResults];
    return {
      compiler: `RADV of Mesa ${version}`,
      chips: chips.map((chip, i) => ({ chip, device: compiled[i]?.device ?? '' })),
      kernels: pipelines.map((name, i) => ({
        ...name,
        code: Object.fromEntries(
          chips.flatMap((chip, c) => {
            const code = compiled[c]?.kernels[i];
            return code ? [[chip, code]] : [];
          }),
        ),
      })),
      ways,
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The pipelines, and a file of SPIR-V for each. */
async function shaders(
  { dawn, radv }: Tools,
  selection: Selection,
  folder: string,
  signal: AbortSignal,
): Promise<Dumped & { readonly requests: readonly Request[] }> {
  const list = join(folder, 'pipelines.json');
  const script = await buildScript('bench/isa/dump.ts', folder, 'dump.mjs');
  const options: DumpOptions = { ...selection, dawn, list };
  // The script stands where no packages are.
  const env = { ...chipEnv(DUMPED, radv), NODE_PATH: join(projectRoot, 'bench/node_modules') };
  const printed = await output([script, JSON.stringify(options)], env, signal);
  const dumped = JSON.parse(readFileSync(list, 'utf8')) as Dumped;
  const found = shadersIn(printed);
  const { length } = dumped.pipelines;
  if (found.length !== length) {
    throw new CliError(`Dawn printed ${found.length} shaders of ${length} pipelines.`);
  }
  const requests = found.map((shader, i): Request => {
    const path = join(folder, `${i}.spv`);
    writeFileSync(path, assemble(shader));
    const { entry, bound, hasMatrices } = shader;
    return { path, entry, bound, hasMatrices };
  });
  return { ...dumped, requests };
}

/** The chip that Dawn makes SPIR-V for: it has all that kernels use. For the others Dawn makes the same. */
const DUMPED: Chip = 'navi31';

/** The environment in which Mesa's RADV is that chip. */
const chipEnv = (chip: Chip, radv: string): NodeJS.ProcessEnv => ({
  ...process.env,
  VK_DRIVER_FILES: radv,
  RADV_FORCE_FAMILY: chip,
});

/** What a script prints on stdout. */
function output(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<string> {
  const child = spawn(process.execPath, args, { env, signal, stdio: ['ignore', 'pipe', 'pipe'] });
  let [printed, problem] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    printed += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    problem += text;
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve(printed);
      // Dawn warns before; what went wrong is the last it says.
      else reject(new CliError(`No shaders: ${problem.trim().split('\n').at(-1) || code}`));
    });
  });
}

function compileFor(
  chip: Chip,
  radv: string,
  requests: readonly Request[],
  signal: AbortSignal,
): Promise<ChipResults> {
  const child = fork(join(projectRoot, 'bench/isa/compile.ts'), {
    env: chipEnv(chip, radv),
    signal,
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  // The driver misses the hardware on stderr, whether or not it fails.
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  child.send(requests);
  return new Promise((resolve, reject) => {
    child.once('message', (results) => resolve(results as ChipResults));
    child.once('error', reject);
    child.once('close', (code) =>
      reject(
        new CliError(
          `The compiler for ${chip} (${CHIPS[chip]}) ended with ${code}: ${said.trim()}`,
        ),
      ),
    );
  });
}
