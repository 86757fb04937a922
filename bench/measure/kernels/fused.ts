import { outputSize } from '../../../src/kernels/convolution/conv_kernel';
import type { ConvShape } from '../../../src/kernels/shared/conv_shape';
import { tilesOf } from '../../../src/kernels/winograd/winograd';
import {
  fusedConv,
  fusedFilterBytes,
  fusedFilters,
  maskedFusedConv,
} from '../../../src/kernels/winograd/winograd_fused';
import type { Precision } from '../../../src/numbers/dtypes';
import type { Scale } from '../scale';
import { alternating, convBatch, convTensors, FIRST, layerShape, MAP } from './convolutions';
import { bytesOf, everySecond, type Subject, type Tensors, values } from './subject';

/* F(2x2) in one kernel: as it is taken between layers, and as a first layer under masks. */

const GROUP = 'Winograd F(2x2, 3x3)';
const PRECISIONS: readonly Precision[] = ['f32', 'f16'];
const LISTED = [false, true] as const;

const needsOf = (precision: Precision): { needs?: GPUFeatureName } =>
  precision === 'f16' ? { needs: 'shader-f16' } : {};

const named = (name: string, precision: Precision, listed = false): string =>
  `${name}${precision === 'f16' ? '_half' : ''}${listed ? '_listed' : ''}`;

/** What a convolution binds, and its cost, over all places or over every second one. */
function convolution(
  tensors: Tensors,
  scale: Scale,
  shape: ConvShape,
  precision: Precision,
  listed: boolean,
  images?: number,
) {
  const batch = convBatch(scale, shape);
  const all = tilesOf(shape, batch);
  const list = everySecond(all);
  const places = listed ? { list: tensors.upload('places', list), count: list.length } : undefined;
  const count = places?.count ?? all;
  const { weights: _, sizes, ...own } = convTensors(tensors, shape, 'f32', batch, images ?? batch);
  const filters = tensors.take('filters', fusedFilterBytes(shape, precision));
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
    // 16 products for each of the four tiles of a place.
    flop: 2 * 16 * 4 * count * shape.inChannels * shape.outChannels,
    bytes:
      (images ?? (batch * count) / all) * sizes.input +
      (count / all) * bytesOf(batch * shape.outChannels * height * width) +
      fusedFilterBytes(shape, precision),
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

const masked = PRECISIONS.flatMap((precision) =>
  LISTED.map(
    (listed): Subject => ({
      name: named('winograd_fused_masked', precision, listed),
      group: GROUP,
      ...needsOf(precision),
      record(tensors, scale) {
        const { args, ...cost } = convolution(tensors, scale, FIRST, precision, listed, 1);
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

const filters = PRECISIONS.flatMap((precision) =>
  (['f32', 'f16'] as const).map(
    (dtype): Subject => ({
      name: `${named('winograd_filters_fused', precision)}_${dtype}`,
      group: GROUP,
      ...needsOf(precision),
      record(tensors, scale) {
        const shape = layerShape(scale);
        const { weights, sizes } = convTensors(tensors, shape, dtype, 1);
        const size = fusedFilterBytes(shape, precision);
        const own = tensors.take('filters', size);
        return {
          run: [fusedFilters({ label: 'filters', shape, dtype, weights, filters: own, precision })],
          // About 50 operations for four filters of a channel.
          flop: 50 * shape.inChannels * shape.outChannels,
          bytes: sizes.weights + size,
        };
      },
    }),
  ),
);

export const fusedSubjects: readonly Subject[] = [...filters, ...plain, ...masked];
