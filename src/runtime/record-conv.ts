import type { Arena } from '../gpu/arena';
import type { Dispatch, Slice } from '../gpu/kernel';
import { conv } from '../kernels/convolution/conv';
import type { ConvShape } from '../kernels/convolution/conv_kernel';
import type { ConvEnds } from '../kernels/shared/conv_shape';
import type { Places } from '../kernels/shared/places';
import {
  filterBytes,
  type TransformedMethod,
  transformFilters,
} from '../kernels/winograd/transformed';
import { winogradConv, winogradScratch } from '../kernels/winograd/winograd';
import {
  type FusedMaskedArgs,
  fused4x4Conv,
  fusedConv,
  maskedFusedConv,
} from '../kernels/winograd/winograd_fused';
import type { ConvDtype } from '../numbers/dtypes';
import type { ConvMethod } from '../plan/conv_choice';

export interface RecordedConv extends ConvEnds {
  readonly label: string;
  readonly shape: ConvShape;
  readonly method: ConvMethod;
  readonly batch: number;
  readonly dtype: ConvDtype;
  /** From `packConv`. */
  readonly weights: Slice;
  /** Transformed for Winograd, as the method wants them; made here for this use where absent. */
  readonly filters: Slice | undefined;
  readonly bias: Slice;
  readonly input: Slice;
  readonly output: Slice;
  /** Tiles to compute, of a method that lists them; default all. */
  readonly places?: Places | undefined;
}

/** The dispatches of a convolution; scratch from `arena`. */
export function recordConv(convolution: RecordedConv, arena: Arena): Dispatch[] {
  const { label, shape, method, batch, dtype, weights, bias, filters: kept } = convolution;
  const { input, output, places, added, view, isBounded } = convolution;
  if (method.kind === 'direct') {
    if (places) throw new Error(`"${label}" is computed directly, and that lists no tiles.`);
    const tensors = { input, output, weights, bias, added, view, isBounded };
    return [conv(method.tiling, { label, shape, dtype, batch, ...tensors, choice: method })];
  }
  const { filters, first, release } = filtersOf({ ...convolution, method }, kept, arena);
  const tensors = { input, filters, bias, output, added, view, isBounded };
  if (method.kind === 'fused') {
    release();
    return [...first, fusedConv({ label, shape, batch, ...tensors, places, method })];
  }
  if (method.kind === 'fused4x4') {
    release();
    return [...first, fused4x4Conv({ label, shape, batch, ...tensors, places, method })];
  }
  const sizes = winogradScratch(shape, batch, places?.count, method);
  const transformed = arena.take(`${label}, transformed`, sizes.transformed);
  const product = arena.take(`${label}, product`, sizes.product);
  release();
  arena.release(transformed);
  arena.release(product);
  const scratch = { transformed, product };
  return [
    ...first,
    ...winogradConv({ label, shape, batch, ...tensors, ...scratch, places, method }),
  ];
}

/** The first convolution with the mask fused in, by the kernel that reads transformed filters. */
export function recordMaskedFused(
  args: Omit<FusedMaskedArgs, 'filters'> & Pick<RecordedConv, 'dtype' | 'weights' | 'filters'>,
  arena: Arena,
): Dispatch[] {
  const method = { kind: 'fused', ...args.method } as const;
  const { filters, first, release } = filtersOf({ ...args, method }, args.filters, arena);
  release();
  return [...first, maskedFusedConv({ ...args, filters })];
}

/** Filters that are kept, or are made for this use; `release` says that what reads them is recorded. */
function filtersOf(
  args: Pick<RecordedConv, 'label' | 'shape' | 'dtype' | 'weights'> & {
    readonly method: TransformedMethod;
  },
  kept: Slice | undefined,
  arena: Arena,
) {
  if (kept) return { filters: kept, first: [], release: () => {} };
  const filters = arena.take(`${args.label}, filters`, filterBytes(args.shape, args.method));
  const first = [transformFilters({ ...args, filters })];
  return { filters, first, release: () => arena.release(filters) };
}
