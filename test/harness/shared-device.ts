import { Gpu } from '../../src/gpu/gpu';

/**
 * A device for many cases, so that a pipeline compiles once for all of them: most of a software adapter's time goes
 * there. Dawn hands out a pipeline again that it has alive, however often it is made; so all of them are kept alive.
 */
export class SharedDevice {
  private readonly pipelines: GPUComputePipeline[] = [];
  private readonly buffers = new Set<GPUBuffer>();

  private constructor(
    readonly device: GPUDevice,
    private readonly gpu: Gpu,
  ) {
    const compile = device.createComputePipelineAsync.bind(device);
    device.createComputePipelineAsync = async (descriptor) => {
      const pipeline = await compile(descriptor);
      this.pipelines.push(pipeline);
      return pipeline;
    };
    const create = device.createBuffer.bind(device);
    device.createBuffer = (descriptor) => {
      const buffer = create(descriptor);
      this.buffers.add(buffer);
      return buffer;
    };
  }

  static async create(adapter: GPUAdapter): Promise<SharedDevice> {
    const gpu = await Gpu.create({ adapter });
    return new SharedDevice(gpu.device, gpu);
  }

  /** Destroys what a case has left; destroying a buffer twice is harmless. */
  freeBuffers(): void {
    for (const buffer of this.buffers) buffer.destroy();
    this.buffers.clear();
  }

  destroy(): void {
    this.gpu.dispose();
  }
}
