import type { Dispatch, Slice } from '../../gpu/kernel';
import { workgroupsFor } from '../../gpu/workgroups';
import { only } from '../family';
import source from './map_products.wgsl';

const kernel = only(source);

export interface MapProductsArgs {
  readonly label: string;
  readonly count: number;
  readonly pixels: number;
  /** [pixels] of the weighted sum */
  readonly gradient: Slice;
  /** [count, pixels] */
  readonly maps: Slice;
  /** [count] of the weights */
  readonly result: Slice;
}

/** Back from a weighted sum of maps to the weights. */
export function mapProducts(args: MapProductsArgs): Dispatch {
  const { label, count, pixels, gradient, maps, result } = args;
  return {
    kernel,
    label,
    constants: { PIXELS: pixels },
    params: { count },
    buffers: { gradient, maps, result },
    workgroups: workgroupsFor(label, count, 64),
  };
}
