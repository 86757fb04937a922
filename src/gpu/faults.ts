import type { Declaration, Dispatch } from './kernel';
import { sourceOf } from './shader_text';

/*
 * What went wrong, told by kernel and line; loaded when something has gone wrong.
 */

/** A shader's errors by file and line of its source; '' if the compiler has nothing to say. */
export async function errorsOf(
  module: GPUShaderModule,
  text: readonly Declaration[],
  constants: Readonly<Record<string, number>>,
): Promise<string> {
  const { messages } = await module.getCompilationInfo();
  return messages
    .filter(({ type }) => type === 'error')
    .map(({ lineNum, message }) => {
      // 0 where it is of no line.
      const source = lineNum > 0 && sourceOf(text, constants, lineNum);
      // wgpu quotes lines, with their numbers in what was compiled: `4 │ ...`.
      const told = message
        .replace(/^[ \d]*[│┌].*/gm, '')
        .trim()
        .replace(/\s*\n[\s=]*/g, '; ');
      return source ? `${source}: ${told}` : told;
    })
    .join('; ');
}

/**
 * Index of the first of the dispatches that a device refuses even alone; -1 if there is none. Nothing is computed.
 * @param bind sets pipeline and bind group
 */
export async function firstRefused(
  device: GPUDevice,
  dispatches: readonly Dispatch[],
  bind: (pass: GPUComputePassEncoder, dispatch: Dispatch, index: number) => void,
): Promise<number> {
  const errors = dispatches.map((dispatch, index) => {
    const commands = (...workgroups: Dispatch['workgroups']): GPUCommandBuffer => {
      const encoder = device.createCommandEncoder();
      const pass = encoder.beginComputePass();
      bind(pass, dispatch, index);
      pass.dispatchWorkgroups(...workgroups);
      pass.end();
      return encoder.finish();
    };
    device.pushErrorScope('validation');
    try {
      commands(...dispatch.workgroups);
      // What only a queue notices, such as a buffer that was destroyed.
      device.queue.submit([commands(0, 0, 0)]);
    } catch {
      // What cannot be bound never came to the device.
    }
    return device.popErrorScope();
  });
  return (await Promise.all(errors)).findIndex(Boolean);
}
