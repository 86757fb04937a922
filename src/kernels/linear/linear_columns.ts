import type { Dispatch, Slice } from '../../gpu/kernel';
import { workgroupsFor } from '../../gpu/workgroups';
import { WEIGHT_BYTES, type WeightDtype } from '../../numbers/dtypes';
import { only } from '../family';
import { rowStride } from './linear';
import source from './linear_columns.wgsl';

const kernel = only(source);

export interface LinearColumnsArgs {
  readonly label: string;
  readonly dtype: WeightDtype;
  /** First of the source's inputs in `elements`, counted in HWC order. */
  readonly firstRow: number;
  /** Inputs in `elements`. */
  readonly rows: number;
  /** Of the layer's input. */
  readonly channels: number;
  /** Height x width of the layer's input; 1 if it is flat. */
  readonly plane: number;
  /** Of the whole layer. */
  readonly outFeatures: number;
  /** First row of the shard. */
  readonly firstOutput: number;
  /** Rows in the shard. */
  readonly shardOutputs: number;
  /** [rows, outFeatures] u32, each with the bits of one weight of `dtype` in its low end, zeros above. */
  readonly elements: Slice;
  /** [shardOutputs, rowStride(channels * plane)] of `dtype`, zero wherever no element was written yet. */
  readonly weights: Slice;
}

/** Scatters weights that arrive input by input into one row shard of their layer. */
export function linearColumns(args: LinearColumnsArgs): Dispatch {
  const { label, dtype, rows, channels, plane, shardOutputs } = args;
  const perWord = 4 / WEIGHT_BYTES[dtype];
  return {
    kernel,
    label,
    constants: { ELEMENTS_PER_WORD: perWord },
    params: {
      first_row: args.firstRow,
      rows,
      channels,
      plane,
      out_features: args.outFeatures,
      first_output: args.firstOutput,
      shard_outputs: shardOutputs,
      row_words: rowStride(channels * plane) / perWord,
    },
    buffers: { elements: args.elements, weights: args.weights },
    workgroups: workgroupsFor(label, rows * shardOutputs, 64),
  };
}
