import { Arena } from '../gpu/arena';
import type { Gpu } from '../gpu/gpu';
import type { Slice } from '../gpu/kernel';
import { IMAGE, sizeOf } from '../model/network';
import type { Plan } from '../plan/compile';
import type { Step } from '../plan/steps';
import type { Recorder } from './recorder';

/**
 * The outputs of a plan's first steps for the image of zeros, by the step's name, in buffers of the GPU's own: 34 MB for
 * VGG-16.
 */
export async function zeroOutputs(
  gpu: Gpu,
  recorder: Recorder,
  { network }: Plan,
  steps: readonly Step[],
): Promise<ReadonlyMap<string, Slice>> {
  const scratch = new Arena(gpu);
  const outputs = new Map<string, Slice>();
  try {
    const zeros = new Float32Array(sizeOf(network.input));
    const tensors = new Map([[IMAGE, scratch.upload('zero image', zeros)]]);
    const dispatches = steps.flatMap((step) => {
      const { name, bytes } = step;
      const output = {
        buffer: gpu.createBuffer(`${name} of zeros`, bytes.output),
        offset: 0,
        size: bytes.output,
      };
      outputs.set(name, output);
      const recorded = recorder.step(step, 1, tensors, output, scratch);
      tensors.set(name, output);
      return recorded;
    });
    await gpu.submit(`zero image through ${network.name}`, dispatches);
    return outputs;
  } catch (error) {
    for (const { buffer } of outputs.values()) gpu.free(buffer);
    throw error;
  } finally {
    scratch.dispose();
  }
}
