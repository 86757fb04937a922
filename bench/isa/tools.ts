import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { CliError } from '../../cli/errors';
import { projectRoot } from '../../cli/server';
import { installPackages } from '../../scripts/main.mjs';

/** What compiling for GPUs that are not there takes. */
export interface Tools {
  /** Of the npm package `webgpu`. */
  readonly dawn: string;
  /** Mesa's driver of AMD's GPUs, as VK_DRIVER_FILES names it. */
  readonly radv: string;
}

const DRIVERS = ['/usr/share/vulkan/icd.d', '/usr/local/share/vulkan/icd.d', '/etc/vulkan/icd.d'];

function driver(name: string): string | undefined {
  for (const folder of DRIVERS.filter(existsSync)) {
    const file = readdirSync(folder).find((own) => own.startsWith(name) && own.endsWith('.json'));
    if (file) return join(folder, file);
  }
  return undefined;
}

const hasAssembler = (): boolean => spawnSync('spirv-as', ['--version']).status === 0;

/** The tools, or what is missing, in words. */
export function findTools(): Tools | string {
  const require = createRequire(join(projectRoot, 'bench/package.json'));
  const arch = process.platform === 'darwin' ? 'universal' : process.arch;
  const dawn = join(
    projectRoot,
    `bench/node_modules/webgpu/dist/${process.platform}-${arch}/dawn.node`,
  );
  const radv = driver('radeon_icd');
  const resolves = (name: string): boolean => {
    try {
      return Boolean(require.resolve(name));
    } catch {
      return false;
    }
  };
  const missing = [
    ...(existsSync(dawn) && resolves('koffi') ? [] : ['the packages of bench (npm ci there)']),
    // What bench/isa/no-commands.ts puts into the driver is code of this processor.
    ...(process.arch === 'x64' ? [] : [`x86-64 (here is ${process.arch})`]),
    ...(radv ? [] : ["Mesa's RADV"]),
    ...(hasAssembler() ? [] : ['spirv-as of spirv-tools']),
  ];
  return radv && missing.length === 0 ? { dawn, radv } : `missing: ${missing.join(', ')}`;
}

/** The tools, installed first where that can be done. @throws CliError naming what is missing and how to get it */
export async function installTools(): Promise<Tools> {
  await installPackages('bench', 'what only the bench needs');
  const found = findTools();
  if (typeof found !== 'string') return found;
  if (process.getuid?.() === 0 && existsSync('/etc/debian_version')) {
    console.error('Installing Vulkan drivers and spirv-tools (apt-get) ...');
    spawnSync(join(projectRoot, 'scripts/install-vulkan.sh'), { stdio: ['ignore', 2, 2] });
  }
  const now = findTools();
  if (typeof now !== 'string') return now;
  throw new CliError(
    `Compiling for GPUs needs a Linux on x86-64 with Mesa 25 or newer and spirv-tools; ${now}. As root on Debian they are ` +
      'installed by this command; elsewhere install mesa-vulkan-drivers and spirv-tools first.',
  );
}
