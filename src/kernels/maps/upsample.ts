import { type Dispatch, defineKernel, type Slice } from '../../gpu/kernel';
import { gridOf } from '../../gpu/workgroups';
import {
  type Interpolation,
  interpolationCode,
  interpolationConstants,
  interpolationOverrides,
} from '../shared/interpolation';
import code from './upsample.wgsl?raw';

export const upsampleKernel = defineKernel({
  name: 'upsample',
  code: interpolationCode + code,
  params: [{ name: 'count', type: 'u32' }],
  storage: [
    { name: 'maps', access: 'read' },
    { name: 'output', access: 'read_write' },
  ],
  overrides: [...interpolationOverrides, 'RELU'],
});

export interface UpsampleArgs extends Interpolation {
  readonly label: string;
  readonly count: number;
  /** max(value, 0) after the interpolation */
  readonly relu: boolean;
  /** [count, mapHeight, mapWidth] */
  readonly input: Slice;
  /** [count, height, width] */
  readonly output: Slice;
}

/** Bilinear upsampling of `count` maps. */
export function upsample(args: UpsampleArgs): Dispatch {
  return {
    kernel: upsampleKernel,
    label: args.label,
    constants: { ...interpolationConstants(args), RELU: Number(args.relu) },
    params: { count: args.count },
    buffers: { maps: args.input, output: args.output },
    workgroups: gridOf(args.label, args.count * args.height * args.width, 64),
  };
}
