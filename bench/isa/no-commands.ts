import { overwrite } from './memory';
import { openCompiler } from './vulkan';

/*
 * RADV's null hardware compiles, and jumps to nowhere as soon as a command buffer begins. Dawn begins one as it makes a
 * device. So the driver's own functions for command buffers and queues are overwritten, in this process, by ones that
 * do nothing and succeed: then Dawn makes devices of chips that are not there, and pipelines with all that they have.
 */

/** Of x86-64: xor eax, eax; ret. 0 is VK_SUCCESS. */
const DO_NOTHING = Uint8Array.of(0x31, 0xc0, 0xc3);

const COMMANDS = [
  'vkBeginCommandBuffer',
  'vkEndCommandBuffer',
  'vkResetCommandBuffer',
  'vkResetCommandPool',
  'vkCmdPipelineBarrier',
  'vkCmdPipelineBarrier2',
  'vkCmdCopyBuffer',
  'vkCmdCopyBuffer2',
  'vkCmdFillBuffer',
  'vkQueueSubmit',
  'vkQueueSubmit2',
  'vkQueueWaitIdle',
  'vkDeviceWaitIdle',
  'vkGetFenceStatus',
  'vkWaitForFences',
];

/** From now on commands are swallowed, of every device of the driver that VK_DRIVER_FILES names. */
export function swallowCommands(): void {
  if (process.arch !== 'x64') throw new Error(`Commands cannot be swallowed on ${process.arch}.`);
  const { addressOf } = openCompiler();
  for (const name of COMMANDS) overwrite(addressOf(name), DO_NOTHING);
}
