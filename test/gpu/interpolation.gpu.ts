import { mapRangesNaive } from '../../bench/ladder/naive';
import { type MapRangesArgs, mapRanges } from '../../src/kernels/maps/map_ranges';
import { upsample } from '../../src/kernels/maps/upsample';
import type { Interpolation } from '../../src/kernels/shared/interpolation';
import type { GpuCase } from '../harness/case';
import { assertClose } from '../harness/compare';
import { interpolationTolerance, sizeName, sizes, trickyMaps } from '../harness/maps';
import { rangeOf, upsampleReference } from '../reference/interpolation';

export const cases: GpuCase[] = [
  ...sizes.flatMap((size) => [upsampleCase(size, false), rangesCase(size)]),
  ...sizes.slice(2, 4).map((size) => upsampleCase(size, true)),
  manyValues(),
  manyMaps(),
];

function upsampleCase(size: Interpolation, relu: boolean): GpuCase {
  return {
    name: `upsample${relu ? ' and ReLU' : ''}, ${sizeName(size)}`,
    async run(gpu) {
      const { maps, count } = trickyMaps(size);
      const output = gpu.createBuffer('output', 4 * count * size.height * size.width);
      const input = { buffer: gpu.upload('maps', maps) };
      await gpu.submit('upsample', [
        upsample({ ...size, label: 'test', count, relu, input, output: { buffer: output } }),
      ]);
      const expected = upsampleReference(maps, size).map((v) => (relu ? Math.max(v, 0) : v));
      const tolerance = interpolationTolerance(maps, size);
      return assertClose('values', await gpu.read(output), expected, tolerance);
    },
  };
}

/** The ranges are those of the very values that upsampling gives, not merely close to them. */
function rangesCase(size: Interpolation): GpuCase {
  return {
    name: `ranges, ${sizeName(size)}`,
    async run(gpu) {
      const { maps, count } = trickyMaps(size);
      const pixels = size.height * size.width;
      const input = { buffer: gpu.upload('maps', maps) };
      const output = gpu.createBuffer('output', 4 * count * pixels);
      const ranges = gpu.createBuffer('ranges', 8 * count);
      const naive = gpu.createBuffer('naive ranges', 8 * count);
      const args: MapRangesArgs = {
        ...size,
        label: 'test',
        maps: input,
        count,
        ranges: { buffer: ranges },
      };
      await gpu.submit('ranges', [
        upsample({ ...size, label: 'test', count, relu: false, input, output: { buffer: output } }),
        mapRanges(args),
        mapRangesNaive({ ...args, ranges: { buffer: naive } }),
      ]);
      const values = await gpu.read(output);
      const expected = Array.from({ length: count }, (_, m) =>
        rangeOf(values.subarray(m * pixels, (m + 1) * pixels)),
      ).flatMap(({ min, max }) => [min, max]);
      assertClose('naive ranges', await gpu.read(naive), expected, 0);
      return assertClose('ranges', await gpu.read(ranges), expected, 0);
    },
  };
}

/** More workgroups than one grid dimension takes. */
function manyValues(): GpuCase {
  return {
    name: 'upsample to more than 65535 workgroups',
    async run(gpu) {
      const size = { mapHeight: 2, mapWidth: 2, height: 2100, width: 2000, alignCorners: true };
      const maps = Float32Array.of(0, 1, 2, 3);
      const output = gpu.createBuffer('output', 4 * size.height * size.width);
      const input = { buffer: gpu.upload('maps', maps) };
      await gpu.submit('upsample', [
        upsample({
          ...size,
          label: 'test',
          count: 1,
          relu: false,
          input,
          output: { buffer: output },
        }),
      ]);
      const expected = upsampleReference(maps, size);
      const tolerance = interpolationTolerance(maps, size);
      return assertClose('values', await gpu.read(output), expected, tolerance);
    },
  };
}

/** As many maps as VGG-16 has channels, at its own size: the ranges of a finished map, too. */
function manyMaps(): GpuCase {
  return {
    name: 'ranges of 512 maps as they are',
    async run(gpu) {
      const [count, pixels] = [512, 14 * 14];
      const maps = Float32Array.from({ length: count * pixels }, (_, i) => Math.sin(i * i));
      const ranges = gpu.createBuffer('ranges', 8 * count);
      await gpu.submit('ranges', [
        mapRanges({
          label: 'test',
          mapHeight: 14,
          mapWidth: 14,
          height: 14,
          width: 14,
          alignCorners: false,
          count,
          maps: { buffer: gpu.upload('maps', maps) },
          ranges: { buffer: ranges },
        }),
      ]);
      const expected = Array.from({ length: count }, (_, m) =>
        rangeOf(maps.subarray(m * pixels, (m + 1) * pixels)),
      ).flatMap(({ min, max }) => [min, max]);
      return assertClose('ranges', await gpu.read(ranges), expected, 0);
    },
  };
}
