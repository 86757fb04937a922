import type { LinearTiling } from '../kernels/linear/linear';
import type { ConvDevice } from './conv_choice';

/**
 * Barriers are what costs on a software adapter, and reads next to them; on a GPU, memory traffic is. On SwiftShader,
 * 2 cores, 4096 -> 1024, f32, batch 8: in quads 12.5 ms, in registers 18.6 ms; 25088 -> 1024, batch 1: 31 and 36 ms.
 */
export function chooseLinearTiling({
  isFallback,
  quads,
}: Pick<ConvDevice, 'isFallback' | 'quads'>): LinearTiling {
  if (!isFallback) return 'workgroup';
  return quads ? 'quads' : 'registers';
}
