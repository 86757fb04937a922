import { globalAveragePool } from '../../src/kernels/layers/global_average_pool';
import { maxPool } from '../../src/kernels/layers/max_pool';
import type { GpuCase } from '../harness/case';
import { assertClose, sumTolerance, testValues } from '../harness/compare';
import { globalAveragePoolReference, maxPoolReference } from '../reference/pooling';

/** [batch, channels, height, width]: planes round the workgroup size of 64, odd and even sizes. */
const shapes = [
  [1, 1, 2, 2],
  [1, 63, 3, 2],
  [2, 32, 5, 7],
  [5, 13, 14, 9],
] as const;

export const cases: GpuCase[] = shapes.flatMap(([batch, channels, height, width]) => {
  const shape = `batch ${batch}, channels ${channels}, ${height} x ${width}`;
  const planes = batch * channels;
  const pixels = height * width;
  // One sign only in half of the planes: a kernel that starts a maximum from 0 would show.
  const values = testValues(planes * pixels, 2).map((value, i) =>
    Math.floor(i / pixels) % 2 ? value * 1e3 : -Math.abs(value),
  );
  return [
    {
      name: `max pool, ${shape}`,
      async run(gpu) {
        const expected = maxPoolReference(values, planes, height, width);
        const output = gpu.createBuffer('output', 4 * expected.length);
        await gpu.submit('max pool', [
          maxPool({
            label: 'test',
            batch,
            channels,
            height,
            width,
            input: { buffer: gpu.upload('input', values) },
            output: { buffer: output },
          }),
        ]);
        // A maximum is one of its arguments: no rounding.
        return assertClose('maxima', await gpu.read(output), expected, 0);
      },
    },
    {
      name: `global average pool, ${shape}`,
      async run(gpu) {
        const output = gpu.createBuffer('output', 4 * planes);
        await gpu.submit('global average pool', [
          globalAveragePool({
            label: 'test',
            batch,
            channels,
            height,
            width,
            input: { buffer: gpu.upload('input', values) },
            output: { buffer: output },
          }),
        ]);
        const expected = globalAveragePoolReference(values, planes, pixels);
        const magnitude = globalAveragePoolReference(values.map(Math.abs), planes, pixels);
        // The sum's error, and 2.5 ULP (5 u) for WGSL's division: 5 more roundings.
        const tolerance = magnitude.map((value) => sumTolerance(pixels + 5, value));
        return assertClose('means', await gpu.read(output), expected, tolerance);
      },
    },
  ];
});
