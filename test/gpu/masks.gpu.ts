import { applyMask } from '../../src/kernels/inputs/apply_mask';
import { mapRanges } from '../../src/kernels/maps/map_ranges';
import { upsampleNormalise } from '../../src/kernels/maps/upsample_normalise';
import type { Interpolation } from '../../src/kernels/shared/interpolation';
import type { GpuCase } from '../harness/case';
import { assertClose, sumTolerance, testValues } from '../harness/compare';
import {
  interpolationTolerance,
  normalisationTolerance,
  sizeName,
  sizes,
  trickyMaps,
} from '../harness/maps';
import { normaliseReference, rangeOf, upsampleReference } from '../reference/interpolation';

export const cases: GpuCase[] = [
  ...sizes.map(masksCase),
  applyMaskCase({ batch: 1, channels: 1, height: 1, width: 1 }),
  applyMaskCase({ batch: 3, channels: 3, height: 7, width: 9 }),
  // More workgroups than one grid dimension takes.
  applyMaskCase({ batch: 7, channels: 3, height: 450, width: 450 }),
];

/** Mask m of the batch uses map channels[FIRST_MASK + m]: out of order, with a gap before. */
const channels = Uint32Array.of(0, 5, 1, 4, 2, 0, 3);
const FIRST_MASK = 1;

function masksCase(size: Interpolation): GpuCase {
  return {
    name: `masks, ${sizeName(size)}`,
    async run(gpu) {
      const { maps, count } = trickyMaps(size);
      const pixels = size.height * size.width;
      const mapPixels = size.mapHeight * size.mapWidth;
      const batch = channels.length - FIRST_MASK;
      const mapBuffer = { buffer: gpu.upload('maps', maps) };
      const ranges = { buffer: gpu.createBuffer('ranges', 8 * count) };
      const masks = gpu.createBuffer('masks', 4 * batch * pixels);
      await gpu.submit('masks', [
        mapRanges({ ...size, label: 'test', maps: mapBuffer, count, ranges }),
        upsampleNormalise({
          ...size,
          label: 'test',
          batch,
          firstMask: FIRST_MASK,
          maps: mapBuffer,
          ranges,
          channels: { buffer: gpu.upload('channels', channels) },
          masks: { buffer: masks },
        }),
      ]);
      const upsampled = upsampleReference(maps, size);
      const errors = interpolationTolerance(maps, size);
      const actual = await gpu.read(masks);
      let note = '';
      for (let m = 0; m < batch; m++) {
        const map = channels[FIRST_MASK + m] as number;
        const mask = actual.subarray(m * pixels, (m + 1) * pixels);
        const values = upsampled.subarray(map * pixels, (map + 1) * pixels);
        const { min, max } = rangeOf(values);
        const samples = rangeOf(maps.subarray(map * mapPixels, (map + 1) * mapPixels));
        // Equal samples, or an output that shows equal ones only: exact zeros, never NaN.
        if (max === min || samples.max === samples.min) {
          assertClose(`flat mask ${m}`, mask, new Float64Array(pixels), 0);
          continue;
        }
        const tolerance = normalisationTolerance(errors[map * pixels] as number, max - min);
        note = assertClose(`mask ${m}`, mask, normaliseReference(values), tolerance);
        const range = rangeOf(mask);
        if (range.min !== 0 || range.max > 1) {
          throw new Error(`mask ${m} has values from ${range.min} to ${range.max}`);
        }
      }
      return note;
    },
  };
}

interface ImageShape {
  readonly batch: number;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

function applyMaskCase(shape: ImageShape): GpuCase {
  const { batch, height, width } = shape;
  return {
    name: `apply, ${batch} masks, ${shape.channels} channels, ${height} x ${width}`,
    async run(gpu) {
      const pixels = height * width;
      const values = shape.channels * pixels;
      const image = testValues(values, 7).map((value) => 3 * value);
      const masks = testValues(batch * pixels, 8).map(Math.abs);
      const output = gpu.createBuffer('output', 4 * batch * values);
      await gpu.submit('apply mask', [
        applyMask({
          ...shape,
          label: 'test',
          image: { buffer: gpu.upload('image', image) },
          masks: { buffer: gpu.upload('masks', masks) },
          output: { buffer: output },
        }),
      ]);
      const expected = new Float64Array(batch * values).map((_, i) => {
        const mask = Math.floor(i / values);
        return (image[i % values] as number) * (masks[mask * pixels + (i % pixels)] as number);
      });
      // One product of at most 3 * 1.
      return assertClose('images', await gpu.read(output), expected, sumTolerance(1, 3));
    },
  };
}
