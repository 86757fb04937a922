import { ScoreCamError } from '../errors';
import type { Declaration, Dispatch, Kernel } from './kernel';
import { shaderText, valuesOf } from './shader_text';

/** The compute pipelines of one device: one for each kernel and the values of its constants. */
export class Pipelines {
  private readonly device: GPUDevice;
  private readonly compiled = new Map<string, Promise<GPUComputePipeline>>();
  private readonly layouts = new Map<string, GPUBindGroupLayout>();

  constructor(device: GPUDevice) {
    this.device = device;
  }

  /** Forgets all of them. */
  clear(): void {
    this.compiled.clear();
  }

  /** Of the kernel's bindings; kernels with the same ones share it. */
  layout(kernel: Kernel): GPUBindGroupLayout {
    const key = kernel.bindings.map(({ binding, access }) => `${binding} ${access}`).join();
    let layout = this.layouts.get(key);
    if (!layout) {
      const types = {
        uniform: 'uniform',
        read: 'read-only-storage',
        read_write: 'storage',
      } as const;
      layout = this.device.createBindGroupLayout({
        label: key,
        entries: kernel.bindings.map(({ binding, access }) => ({
          binding,
          visibility: GPUShaderStage.COMPUTE,
          buffer: { type: types[access] },
        })),
      });
      this.layouts.set(key, layout);
    }
    return layout;
  }

  /**
   * The pipeline of a dispatch: compiled when it is first asked for, and kept.
   * @throws ScoreCamError `kernel` with file and line of the source where the shader is at fault
   */
  of(dispatch: Dispatch): Promise<GPUComputePipeline> {
    const { kernel } = dispatch;
    const constants = valuesOf(dispatch, kernel.constants);
    const overrides = valuesOf(dispatch, kernel.overrides);
    const values = [...Object.values(constants), ...Object.values(overrides)];
    const key = `${kernel.name}:${values.join()}`;
    let pipeline = this.compiled.get(key);
    if (!pipeline) {
      pipeline = this.compile(dispatch, constants, overrides).catch((error: unknown) => {
        this.compiled.delete(key);
        throw error;
      });
      this.compiled.set(key, pipeline);
    }
    return pipeline;
  }

  private async compile(
    { kernel, label }: Dispatch,
    constants: Readonly<Record<string, number>>,
    overrides: Readonly<Record<string, number>>,
  ): Promise<GPUComputePipeline> {
    const text = await textOf(kernel);
    // A faulty shader is an error of its module, told more precisely than that of the pipeline.
    this.device.pushErrorScope('validation');
    const code = shaderText(text, constants);
    const module = this.device.createShaderModule({ label: kernel.name, code });
    const faulty = this.device.popErrorScope().catch(() => null);
    try {
      return await this.device.createComputePipelineAsync({
        label: `${kernel.name} (${label})`,
        layout: this.device.createPipelineLayout({ bindGroupLayouts: [this.layout(kernel)] }),
        compute: { module, entryPoint: 'main', constants: overrides },
      });
    } catch (cause) {
      // Whether or not more can be said, what is known is thrown.
      const told = await import('./faults')
        .then(({ errorsOf }) => errorsOf(module, text, constants))
        .catch(() => '');
      const reason = told || ((await faulty)?.message ?? cause);
      throw new ScoreCamError(
        'kernel',
        `Kernel ${kernel.name} (${label}) did not compile: ${reason}`,
        { cause },
      );
    }
  }
}

/** @throws ScoreCamError `kernel` where it cannot be fetched */
async function textOf({ name, text }: Kernel): Promise<readonly Declaration[]> {
  try {
    return await text();
  } catch (cause) {
    throw new ScoreCamError('kernel', `The text of kernel ${name} did not load: ${cause}`, {
      cause,
    });
  }
}
