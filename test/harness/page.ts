/// Runs in headless Chrome: executes one case of one suite on a fresh Gpu and reports.
import { Gpu } from '../../src/gpu/gpu';
import type { CaseContext, GpuCase } from './case';

export interface CaseReport {
  readonly ok: boolean;
  readonly message: string;
}

const suites = import.meta.glob<{ cases: readonly GpuCase[] }>('../gpu/*.gpu.ts');

async function runCase(suite: string, name: string, context: CaseContext): Promise<CaseReport> {
  const load = suites[`../gpu/${suite}.gpu.ts`];
  if (!load) return { ok: false, message: `no suite "${suite}"` };
  const found = (await load()).cases.find((candidate) => candidate.name === name);
  if (!found) return { ok: false, message: `no case "${name}" in suite "${suite}"` };
  const gpu = await Gpu.create();
  // Anything the scopes inside Gpu do not catch still fails the case.
  let stray = '';
  gpu.device.onuncapturederror = (event) => {
    stray = event.error.message;
  };
  try {
    const note = await found.run(gpu, context);
    return stray ? { ok: false, message: stray } : { ok: true, message: note ?? '' };
  } catch (error) {
    return {
      ok: false,
      message: error instanceof Error ? (error.stack ?? error.message) : `${error}`,
    };
  } finally {
    gpu.dispose();
  }
}

declare global {
  interface Window {
    runCase: typeof runCase;
  }
}
window.runCase = runCase;
