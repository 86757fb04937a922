import type { Gpu, GpuData } from '../../../src/gpu/gpu';
import type { Dispatch, Slice } from '../../../src/gpu/kernel';
import type { Scale } from '../scale';

/** Where subjects put their tensors: an Arena. */
export interface Tensors {
  take(label: string, bytes: number): Slice;
  upload(label: string, data: GpuData): Slice;
}

/** What one measurement of a kernel needs recorded. */
export interface Work {
  /** Run once before. */
  readonly load?: readonly Dispatch[];
  readonly run: readonly Dispatch[];
  readonly batch?: number;
  readonly flop: number;
  /** Every tensor counted once. */
  readonly bytes: number;
}

/** What a device must have to run something; without, it is left out. */
export interface Needs {
  readonly needs?: GPUFeatureName | undefined;
  /** Of one workgroup, where that is more than WebGPU's core has. */
  readonly workgroup?: { readonly invocations: number; readonly bytes: number } | undefined;
}

/** One kernel in one variant, at a size of VGG-16's. */
export interface Subject extends Needs {
  readonly name: string;
  readonly group: string;
  record(tensors: Tensors, scale: Scale): Work;
}

/** Nothing more than any device has. */
const CORE = { invocations: 0, bytes: 0 };

/** Whether a device has what one of its measurements needs. */
export const runsOn =
  ({ device: { features, limits } }: Gpu) =>
  ({ needs, workgroup: { invocations, bytes } = CORE }: Needs): boolean =>
    (!needs || features.has(needs)) &&
    invocations <= limits.maxComputeInvocationsPerWorkgroup &&
    invocations <= limits.maxComputeWorkgroupSizeX &&
    bytes <= limits.maxComputeWorkgroupStorageSize;

/** Values from -1 to 1 that are neither zero nor all alike. */
export function values(count: number): Float32Array<ArrayBuffer> {
  const made = new Float32Array(count);
  for (let i = 0; i < count; i++) made[i] = ((i * 7) % 17) / 8 - 1;
  return made;
}

/** Numbers of any type, of which only the bytes matter; small ones, so that sums stay finite. */
export function rawBytes(count: number): Uint8Array<ArrayBuffer> {
  const made = new Uint8Array(4 * Math.ceil(count / 4));
  for (let i = 0; i < made.length; i++) made[i] = (i * 7) % 48;
  return made;
}

/** 4 bytes each. */
export const bytesOf = (...counts: readonly number[]): number =>
  4 * counts.reduce((sum, count) => sum + count, 0);

/** A list of places as places_listed.wgsl reads it: every second of `count`. */
export function everySecond(count: number): Uint32Array<ArrayBuffer> {
  return Uint32Array.from({ length: Math.floor(count / 2) }, (_, i) => 2 * i);
}
