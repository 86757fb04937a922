import { type Dispatch, defineKernel, type Slice } from '../../gpu/kernel';
import { gridOf } from '../../gpu/workgroups';
import { ceilDiv } from '../../numbers/padding';
import type { TurnFiltersArgs } from '../convolution/turn_filters';
import code from './turn_winograd_filters.wgsl?raw';

export const turnWinogradFiltersKernel = defineKernel({
  name: 'turn_winograd_filters',
  code,
  params: ['channels', 'out_channels'].map((name) => ({ name, type: 'u32' })),
  storage: [
    { name: 'filters', access: 'read' },
    { name: 'turned', access: 'read_write' },
  ],
});

export interface TurnWinogradFiltersArgs extends Pick<TurnFiltersArgs, 'label' | 'turned'> {
  /** Of the 3x3 convolution on its way forward. */
  readonly shape: TurnFiltersArgs['shape'];
  /** As `winogradFilters` leaves them. */
  readonly filters: Slice;
}

/** Makes the filters that lead back through a convolution from its filters for Winograd. */
export function turnWinogradFilters(args: TurnWinogradFiltersArgs): Dispatch {
  const { label, shape, filters, turned } = args;
  const { inChannels, outChannels } = shape;
  return {
    kernel: turnWinogradFiltersKernel,
    label,
    constants: {},
    params: { channels: inChannels, out_channels: outChannels },
    buffers: { filters, turned },
    workgroups: gridOf(label, outChannels * 2 * ceilDiv(inChannels, 8), 64),
  };
}
