import { ScoreCamError } from '../errors';
import type { Declaration, Dispatch } from './kernel';
import { sourceOf } from './shader_text';

/*
 * What went wrong, and what to do about it; of kernels by line. Loaded when something has gone wrong.
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

export function noWebgpu(): ScoreCamError {
  return new ScoreCamError(
    'no-webgpu',
    'This browser has no WebGPU (navigator.gpu is missing). Use a current Chrome, Edge, Firefox ' +
      'or Safari, over https or localhost.',
  );
}

export function noAdapter(cause: unknown): ScoreCamError {
  return new ScoreCamError(
    'no-adapter',
    `WebGPU is there but offers no adapter${cause ? ` (${cause})` : ''}. Turn on hardware acceleration, or start ` +
      'Chrome with --enable-unsafe-webgpu to use its software adapter.',
    { cause },
  );
}

export function noDevice(cause: unknown): ScoreCamError {
  return new ScoreCamError(
    'no-adapter',
    `The GPU's adapter gives no device (${cause}). Reload the page; if that does not help, update browser and driver.`,
    { cause },
  );
}

/** @param others bytes in use beside it */
export function noMemory({ label, size }: GPUBuffer, others: number): ScoreCamError {
  return new ScoreCamError(
    'out-of-memory',
    `The GPU has no memory for "${label}" of ${size} bytes, beside ${others} bytes in use here. ` +
      'Use a smaller memoryBudget, weights in dtype f16 or int8, or a smaller network.',
  );
}

export function noTimestamps(): ScoreCamError {
  return new ScoreCamError(
    'option',
    'This device has no timestamp-query: request it with that feature, or measure by the wall clock.',
  );
}

/**
 * @param adapter in words
 * @param isGiven whether the device is the caller's
 */
export function noHalf(precision: string, adapter: string, isGiven: boolean): ScoreCamError {
  return new ScoreCamError(
    'option',
    `precision is ${precision}, which needs the feature shader-f16; ${adapter} has none` +
      `${isGiven ? ', or the device was requested without it' : ''}. Use f32.`,
  );
}

export function noNewDevice(cause: unknown): ScoreCamError {
  const reason = cause instanceof Error ? cause.message : cause;
  return new ScoreCamError(
    'device-lost',
    `The GPU device was lost, and no new one can be had (${reason}). Try again later.`,
    { cause },
  );
}
