import { outputSize } from '../../../src/kernels/convolution/conv_kernel';
import type { ConvShape } from '../../../src/kernels/shared/conv_shape';
import { tilesOf } from '../../../src/kernels/winograd/winograd';
import {
  FUSED_4X4_INVOCATIONS,
  FUSED_4X4_STORAGE,
  type FusedKind,
  fused4x4Conv,
  fusedConv,
  fusedFilterBytes,
  fusedFilters,
  maskedFusedConv,
} from '../../../src/kernels/winograd/winograd_fused';
import type { StoredDtype } from '../../../src/numbers/dtypes';
import type { Scale } from '../scale';
import { alternating, convBatch, convTensors, FIRST, layerShape, MAP } from './convolutions';
import { bytesOf, everySecond, type Subject, type Tensors, values } from './subject';

/* F(2x2) and F(4x4) in one kernel: as they are taken between layers, and F(2x2) as a first layer under masks. */

const GROUP = 'Winograd F(2x2, 3x3)';
const GROUP_4X4 = 'Winograd F(4x4, 3x3) in one kernel';
const PRECISIONS: readonly StoredDtype[] = ['f32', 'f16'];
const LISTED = [false, true] as const;

const needsOf = (precision: StoredDtype): { needs?: GPUFeatureName } =>
  precision === 'f16' ? { needs: 'shader-f16' } : {};

const named = (name: string, precision: StoredDtype, listed = false): string =>
  `${name}${precision === 'f16' ? '_half' : ''}${listed ? '_listed' : ''}`;

/** What a convolution binds, and its cost, over all places or over every second one. */
function convolution(
  tensors: Tensors,
  scale: Scale,
  shape: ConvShape,
  precision: StoredDtype,
  listed: boolean,
  { images, kind = 'fused' }: { readonly images?: number; readonly kind?: FusedKind } = {},
) {
  const batch = convBatch(scale, shape);
  const all = tilesOf(shape, batch);
  const list = everySecond(all);
  const places = listed ? { list: tensors.upload('places', list), count: list.length } : undefined;
  const count = places?.count ?? all;
  const { weights: _, sizes, ...own } = convTensors(tensors, shape, 'f32', batch, images ?? batch);
  const size = fusedFilterBytes(shape, precision, kind);
  const filters = tensors.take('filters', size);
  const { height, width } = outputSize(shape);
  return {
    args: {
      label: 'conv',
      shape,
      batch,
      ...own,
      filters,
      places,
      method: { precision, sides: 1 },
    } as const,
    batch,
    // 16 products for each of the four tiles of a place, or 36 for its one.
    flop: 2 * (kind === 'fused' ? 64 : 36) * count * shape.inChannels * shape.outChannels,
    bytes:
      (images ?? (batch * count) / all) * sizes.input +
      (count / all) * bytesOf(batch * shape.outChannels * height * width) +
      size,
  };
}

const plain = PRECISIONS.flatMap((precision) =>
  LISTED.map(
    (listed): Subject => ({
      name: named('winograd_fused', precision, listed),
      group: GROUP,
      ...needsOf(precision),
      record(tensors, scale) {
        const own = convolution(tensors, scale, layerShape(scale), precision, listed);
        const { args, ...cost } = own;
        return { run: [fusedConv(args)], ...cost };
      },
    }),
  ),
);

const productsInHalf = LISTED.map(
  (listed): Subject => ({
    name: named('winograd_fused_products', 'f16', listed),
    group: GROUP,
    ...needsOf('f16'),
    record(tensors, scale) {
      const { args, ...cost } = convolution(tensors, scale, layerShape(scale), 'f16', listed);
      const method = { ...args.method, products: 'f16' } as const;
      return { run: [fusedConv({ ...args, method })], ...cost };
    },
  }),
);

const plain4x4 = PRECISIONS.flatMap((precision) =>
  LISTED.map(
    (listed): Subject => ({
      name: named('winograd_4x4_fused', precision, listed),
      group: GROUP_4X4,
      ...needsOf(precision),
      workgroup: { invocations: FUSED_4X4_INVOCATIONS, bytes: FUSED_4X4_STORAGE },
      record(tensors, scale) {
        const shape = layerShape(scale);
        const own = convolution(tensors, scale, shape, precision, listed, { kind: 'fused4x4' });
        const { args, ...cost } = own;
        return { run: [fused4x4Conv(args)], ...cost };
      },
    }),
  ),
);

const masked = PRECISIONS.flatMap((precision) =>
  LISTED.map(
    (listed): Subject => ({
      name: named('winograd_fused_masked', precision, listed),
      group: GROUP,
      ...needsOf(precision),
      record(tensors, scale) {
        const { args, ...cost } = convolution(tensors, scale, FIRST, precision, listed, {
          images: 1,
        });
        const { batch, input: image, ...own } = args;
        const dispatch = maskedFusedConv({
          ...own,
          batch,
          image,
          firstMask: 0,
          maps: tensors.upload('maps', values(batch * MAP * MAP)),
          mapHeight: MAP,
          mapWidth: MAP,
          ranges: tensors.upload('ranges', alternating(batch)),
          channels: tensors.upload(
            'channels',
            Uint32Array.from({ length: batch }, (_, i) => i),
          ),
          alignCorners: false,
        });
        return { run: [dispatch], ...cost };
      },
    }),
  ),
);

const filtersOf = (kind: FusedKind, file: string, group: string, operations: number) =>
  PRECISIONS.flatMap((precision) =>
    (['f32', 'f16'] as const).map(
      (dtype): Subject => ({
        name: `${named(file, precision)}_${dtype}`,
        group,
        ...needsOf(precision),
        record(tensors, scale) {
          const shape = layerShape(scale);
          const { weights, sizes } = convTensors(tensors, shape, dtype, 1);
          const size = fusedFilterBytes(shape, precision, kind);
          const own = tensors.take('filters', size);
          return {
            run: [
              fusedFilters({
                label: 'filters',
                shape,
                dtype,
                weights,
                filters: own,
                precision,
                kind,
              }),
            ],
            // About so many operations for four filters of a channel.
            flop: operations * shape.inChannels * shape.outChannels,
            bytes: sizes.weights + size,
          };
        },
      }),
    ),
  );

export const fusedSubjects: readonly Subject[] = [
  ...filtersOf('fused', 'winograd_filters_fused', GROUP, 50),
  ...plain,
  ...productsInHalf,
  ...masked,
  ...filtersOf('fused4x4', 'winograd_filters_4x4_fused', GROUP_4X4, 140),
  ...plain4x4,
];
