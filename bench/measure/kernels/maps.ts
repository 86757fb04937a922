import type { Dispatch } from '../../../src/gpu/kernel';
import { applyMask } from '../../../src/kernels/inputs/apply_mask';
import { revealPixels } from '../../../src/kernels/inputs/reveal_pixels';
import { adam } from '../../../src/kernels/maps/adam';
import { mapProducts } from '../../../src/kernels/maps/map_products';
import { mapRanges } from '../../../src/kernels/maps/map_ranges';
import { maskBackward } from '../../../src/kernels/maps/mask_backward';
import { normaliseMap } from '../../../src/kernels/maps/normalise_map';
import { overlay } from '../../../src/kernels/maps/overlay';
import { upsample } from '../../../src/kernels/maps/upsample';
import { upsampleBackward } from '../../../src/kernels/maps/upsample_backward';
import { upsampleNormalise } from '../../../src/kernels/maps/upsample_normalise';
import { weightedSum } from '../../../src/kernels/maps/weighted_sum';
import { mapRangesNaive } from '../../ladder/naive';
import { batchFor, type Scale } from '../scale';
import { bytesOf, rawBytes, type Subject, type Tensors, values } from './subject';

/** Maps of conv5_3 and images at VGG-16's size. */
const MAP = 14;
const SIZE = 224;
const PIXELS = SIZE * SIZE;
const interpolation = {
  mapHeight: MAP,
  mapWidth: MAP,
  height: SIZE,
  width: SIZE,
  alignCorners: false,
} as const;

/** All maps of the layer, or fewer. */
const mapsFor = ({ small }: Scale): number => (small ? 64 : 512);

interface Recorded {
  readonly run: Dispatch;
  readonly batch?: number;
  readonly flop: number;
  readonly bytes: number;
}

function subject(
  name: string,
  record: (tensors: Tensors, scale: Scale) => Recorded,
  group = 'masks and maps',
): Subject {
  return {
    name,
    group,
    record: (tensors, scale) => {
      const { run, ...cost } = record(tensors, scale);
      return { run: [run], ...cost };
    },
  };
}

/** Operations of an upsampled value, as the kernels' headers say. */
const RANGE_FLOP = 20;
const UPSAMPLE_FLOP = 16;
const NORMALISE_FLOP = 20;
const OVERLAY_FLOP = 20;
const ADAM_FLOP = 20;
/** map_ranges looks at two rows between two map rows. */
const RANGE_ROWS = 2 * (MAP + 1);

const perImage = (scale: Scale, values: number, flop: number): number =>
  batchFor(scale, { flop, bytes: bytesOf(values), largest: bytesOf(3 * PIXELS) });

export const mapSubjects: readonly Subject[] = [
  ...(
    [
      ['map_ranges', mapRanges, RANGE_ROWS * SIZE],
      ['map_ranges_naive', mapRangesNaive, PIXELS],
    ] as const
  ).map(([name, make, looked]) =>
    subject(name, (tensors, scale) => {
      const count = mapsFor(scale);
      return {
        run: make({
          label: 'maps',
          ...interpolation,
          count,
          maps: tensors.upload('maps', values(count * MAP * MAP)),
          ranges: tensors.take('ranges', bytesOf(2 * count)),
        }),
        batch: count,
        flop: count * looked * RANGE_FLOP,
        bytes: bytesOf(count * (MAP * MAP + 2)),
      };
    }),
  ),
  subject('upsample_normalise', (tensors, scale) => {
    const batch = perImage(scale, PIXELS, PIXELS * NORMALISE_FLOP);
    return {
      run: upsampleNormalise({
        label: 'masks',
        ...interpolation,
        batch,
        firstMask: 0,
        maps: tensors.upload('maps', values(batch * MAP * MAP)),
        ranges: tensors.upload('ranges', values(2 * batch)),
        channels: tensors.upload(
          'channels',
          Uint32Array.from({ length: batch }, (_, i) => i),
        ),
        masks: tensors.take('masks', bytesOf(batch * PIXELS)),
      }),
      batch,
      flop: batch * PIXELS * NORMALISE_FLOP,
      bytes: bytesOf(batch * (PIXELS + MAP * MAP + 3)),
    };
  }),
  subject('upsample', (tensors, scale) => {
    const count = perImage(scale, PIXELS, PIXELS * UPSAMPLE_FLOP);
    return {
      run: upsample({
        label: 'maps',
        ...interpolation,
        count,
        relu: true,
        input: tensors.upload('maps', values(count * MAP * MAP)),
        output: tensors.take('upsampled', bytesOf(count * PIXELS)),
      }),
      batch: count,
      flop: count * PIXELS * UPSAMPLE_FLOP,
      bytes: bytesOf(count * (PIXELS + MAP * MAP)),
    };
  }),
  subject('weighted_sum', (tensors) => {
    const count = 512;
    const pixels = MAP * MAP;
    return {
      run: weightedSum({
        label: 'maps',
        count,
        mapHeight: MAP,
        mapWidth: MAP,
        maps: tensors.upload('maps', values(count * pixels)),
        weights: tensors.upload('alpha', values(count)),
        output: tensors.take('sum', bytesOf(pixels)),
      }),
      batch: count,
      flop: 2 * count * pixels,
      bytes: bytesOf(count * (pixels + 1), pixels),
    };
  }),
  subject('map_products', (tensors) => {
    const count = 512;
    const pixels = MAP * MAP;
    return {
      run: mapProducts({
        label: 'maps',
        count,
        pixels,
        gradient: tensors.upload('gradient', values(pixels)),
        maps: tensors.upload('maps', values(count * pixels)),
        result: tensors.take('products', bytesOf(count)),
      }),
      batch: count,
      flop: 2 * count * pixels,
      bytes: bytesOf(count * (pixels + 1), pixels),
    };
  }),
  subject('adam', (tensors) => {
    const count = 512;
    return {
      run: adam({
        label: 'weights',
        count,
        rate: 0.1,
        weights: tensors.upload('weights', values(count).map(Math.abs)),
        gradient: tensors.upload('gradient', values(count)),
        state: tensors.upload('state', values(2 * count + 2).map(Math.abs)),
        values: tensors.upload('values', values(count)),
      }),
      flop: ADAM_FLOP * count,
      bytes: 36 * count,
    };
  }),
  subject('mask_backward', (tensors) => ({
    run: maskBackward({
      label: 'mask',
      channels: 3,
      pixels: PIXELS,
      gradient: tensors.upload('gradient', values(3 * PIXELS)),
      image: tensors.upload('image', values(3 * PIXELS)),
      full: tensors.upload('full', values(PIXELS)),
      mask: tensors.upload('mask', values(PIXELS)),
      range: tensors.upload('range', Float32Array.of(-1, 1)),
      result: tensors.take('result', bytesOf(PIXELS)),
    }),
    flop: 12 * PIXELS,
    bytes: bytesOf(9 * PIXELS),
  })),
  subject('upsample_backward', (tensors) => ({
    run: upsampleBackward({
      label: 'map',
      ...interpolation,
      gradient: tensors.upload('gradient', values(PIXELS)),
      result: tensors.take('result', bytesOf(MAP * MAP)),
    }),
    flop: UPSAMPLE_FLOP * PIXELS,
    bytes: bytesOf(PIXELS, MAP * MAP),
  })),
  subject('normalise_map', (tensors) => ({
    run: normaliseMap({
      label: 'map',
      count: PIXELS,
      range: tensors.upload('range', Float32Array.of(-1, 1)),
      input: tensors.upload('map', values(PIXELS)),
      output: tensors.take('normalised', bytesOf(PIXELS)),
    }),
    flop: 3 * PIXELS,
    bytes: bytesOf(2 * PIXELS),
  })),
  subject('apply_mask', (tensors, scale) => {
    const batch = perImage(scale, 4 * PIXELS, 3 * PIXELS);
    return {
      run: applyMask({
        label: 'masks',
        batch,
        channels: 3,
        height: SIZE,
        width: SIZE,
        image: tensors.upload('image', values(3 * PIXELS)),
        masks: tensors.upload('masks', values(batch * PIXELS)),
        output: tensors.take('masked', bytesOf(3 * batch * PIXELS)),
      }),
      batch,
      flop: 3 * batch * PIXELS,
      bytes: bytesOf(3 * PIXELS, 4 * batch * PIXELS),
    };
  }),
  subject('reveal_pixels', (tensors, scale) => {
    const batch = perImage(scale, 3 * PIXELS, 0);
    return {
      run: revealPixels({
        label: 'pixels',
        batch,
        channels: 3,
        pixels: PIXELS,
        first: 0,
        steps: batch,
        over: tensors.upload('over', values(3 * PIXELS)),
        under: tensors.upload('under', values(3 * PIXELS)),
        ranks: tensors.upload(
          'ranks',
          Uint32Array.from({ length: PIXELS }, (_, i) => i),
        ),
        output: tensors.take('mixed', bytesOf(3 * batch * PIXELS)),
      }),
      batch,
      flop: 0,
      bytes: bytesOf(7 * PIXELS, 3 * batch * PIXELS),
    };
  }),
  subject('overlay', (tensors) => ({
    run: overlay({
      label: 'overlay',
      width: SIZE,
      height: SIZE,
      map: tensors.upload('map', values(PIXELS).map(Math.abs)),
      image: tensors.upload('image', rawBytes(4 * PIXELS)),
      colours: tensors.upload('colours', rawBytes(4 * 256)),
      opacity: 0.5,
      output: tensors.take('overlay', bytesOf(PIXELS)),
    }),
    flop: OVERLAY_FLOP * PIXELS,
    bytes: bytesOf(3 * PIXELS),
  })),
];
