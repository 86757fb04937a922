import { detailsOf } from '../../cli/error-text';
import { Gpu } from '../../src/gpu/gpu';
import type { CaseContext, CaseReport, GpuCase } from './case';
import { SharedDevice } from './shared-device';

const files = import.meta.glob<{ cases: readonly GpuCase[] }>('../gpu/*.gpu.ts');

/** Runs cases by suite and name, one after the other, in the JavaScript that has the device. */
export class CaseRunner {
  private shared: SharedDevice | undefined;

  constructor(private readonly adapter: () => Promise<GPUAdapter>) {}

  async run(suite: string, name: string, context: CaseContext): Promise<CaseReport> {
    const load = files[`../gpu/${suite}.gpu.ts`];
    if (!load) return { ok: false, message: `no suite "${suite}"` };
    const found = (await load()).cases.find((candidate) => candidate.name === name);
    if (!found) return { ok: false, message: `no case "${name}" in suite "${suite}"` };
    try {
      const note = await (found.ownDevice
        ? this.alone(found, context)
        : this.beside(found, context));
      return { ok: true, message: note ?? '' };
    } catch (error) {
      return { ok: false, message: `${suite} > ${name}: ${detailsOf(error)}` };
    }
  }

  private async alone(one: GpuCase, context: CaseContext): Promise<string | undefined> {
    const gpu = await Gpu.create({ adapter: await this.adapter() });
    try {
      return await watched(gpu, () => one.run(gpu, context));
    } finally {
      gpu.dispose();
    }
  }

  /** On the device that other cases have used, with a Gpu of its own. A case that fails takes the device with it. */
  private async beside(one: GpuCase, context: CaseContext): Promise<string | undefined> {
    this.shared ??= await SharedDevice.create(await this.adapter());
    const { shared } = this;
    try {
      const gpu = await Gpu.create({ device: shared.device });
      try {
        return await watched(gpu, () => one.run(gpu, context));
      } finally {
        gpu.dispose();
        shared.freeBuffers();
      }
    } catch (error) {
      this.shared = undefined;
      shared.destroy();
      throw error;
    }
  }
}

/** Anything the scopes inside Gpu do not catch still fails the case. */
async function watched<T>({ device }: Gpu, work: () => Promise<T>): Promise<T> {
  let stray: string | undefined;
  const listener = ({ error }: GPUUncapturedErrorEvent): void => {
    stray ??= error.message;
  };
  device.addEventListener('uncapturederror', listener);
  try {
    const result = await work();
    // Errors of what was sent last come before this is answered.
    await device.queue.onSubmittedWorkDone();
    if (stray !== undefined) throw new Error(stray);
    return result;
  } finally {
    device.removeEventListener('uncapturederror', listener);
  }
}
