import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CliError } from '../../cli/errors';
import { projectRoot } from '../../cli/server';
import { installPackages } from '../../scripts/main.mjs';
import type { BenchOptions } from '../options';
import { bundle } from './bundle';

/** The prebuilt Dawn for this machine, from the package `webgpu`, installed on first use. */
async function dawnNode(): Promise<string> {
  await installPackages('bench', 'what only the bench needs');
  const arch = process.platform === 'darwin' ? 'universal' : process.arch;
  const folder = `bench/node_modules/webgpu/dist/${process.platform}-${arch}`;
  return join(projectRoot, folder, 'dawn.node');
}

/** Builds the bench for Node and runs it in a process of its own, since Dawn keeps its process alive. */
export async function benchByDawn(
  { runs, ladder, stated, out, report, adapter }: BenchOptions & { readonly out: string },
  signal: AbortSignal,
): Promise<void> {
  const dawn = await dawnNode();
  const folder = mkdtempSync(join(tmpdir(), 'score-cam-bench-'));
  try {
    const file = await bundle(folder);
    const args = [
      file,
      ...['--dawn-node', dawn, '--runs', String(runs), '--out', out],
      ...(ladder ? ['--ladder'] : []),
      ...(report ? ['--report', report] : []),
      ...(adapter ? ['--adapter', adapter] : []),
      ...(stated.gflops ? ['--peak-gflops', String(stated.gflops)] : []),
      ...(stated.gbps ? ['--peak-gbps', String(stated.gbps)] : []),
    ];
    const code = await finished(args, signal);
    if (code === 0) return;
    // What was wrong stands on stderr already.
    process.exitCode = code ?? 1;
    if (code === null) throw new CliError('Dawn ended without an answer: is its driver all right?');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function finished(args: readonly string[], signal: AbortSignal): Promise<number | null> {
  const child = spawn(process.execPath, args, { stdio: 'inherit' });
  const end = () => child.kill();
  signal.addEventListener('abort', end);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      signal.removeEventListener('abort', end);
      if (signal.aborted) reject(signal.reason);
      else resolve(code);
    });
  });
}
