import type { Gpu } from '../../src/gpu/gpu';
import { activate, add, multiply } from '../../src/kernels/graph/elementwise';
import { NO_ACTIVATION } from '../../src/numbers/activation';
import type { GpuCase } from '../harness/case';
import { assertClose, testValues } from '../harness/compare';
import { ACTIVATIONS, activationName, embedded, expectedIn } from '../harness/windows';
import { activatedReference, activatedTolerance } from '../reference/window';

type Join = 'add' | 'multiply' | 'gate' | 'activate';

/** [batch, channels, plane]: planes round four values. */
const shapes = [
  [1, 1, 1],
  [2, 5, 7],
  [3, 3, 20],
] as const;

async function run(
  gpu: Gpu,
  join: Join,
  [batch, channels, plane]: (typeof shapes)[number],
  activation: number,
): Promise<string> {
  const count = batch * channels * plane;
  const a = testValues(count, 1).map((x) => 10 * x);
  const b = testValues(join === 'gate' ? batch * channels : count, 2).map((x) => 4 * x);
  const sums = Float64Array.from(a, (value, i) => {
    if (join === 'activate') return value;
    const other = b[join === 'gate' ? Math.floor(i / plane) : i] as number;
    return join === 'add' ? value + other : value * other;
  });
  const expected = {
    values: sums.map((x) => activatedReference(x, activation)),
    tolerance: sums.map((x) => activatedTolerance(x, activation, 2 ** -24 * Math.abs(x))),
  };
  const output = embedded(
    gpu,
    'output',
    new Float32Array(count).fill(-123),
    batch,
    channels,
    [1, 2],
  );
  const own = { label: 'test', batch, channels, plane, activation, output };
  const first = embedded(gpu, 'a', a, batch, channels, [2, 0]);
  const second = embedded(gpu, 'b', b, batch, channels, [0, 1]);
  await gpu.submit(join, [
    join === 'activate'
      ? activate({ ...own, input: first })
      : join === 'add'
        ? add({ ...own, a: first, b: second })
        : multiply({ ...own, a: first, b: second, gate: join === 'gate' }),
  ]);
  const whole = expectedIn(output, expected, batch, channels);
  return assertClose(join, await gpu.read(output.slice.buffer), whole.values, whole.tolerance);
}

// lavapipe takes long to compile them, and the networks of graphs.gpu.ts go through all of them there.
const usually = ['chrome'] as const;

export const cases: GpuCase[] = (['add', 'multiply', 'gate', 'activate'] as const).flatMap(
  (join) => [
    ...shapes.map(
      (shape): GpuCase => ({
        name: `${join}, ${shape.join(' x ')}`,
        usually,
        run: (gpu) => run(gpu, join, shape, NO_ACTIVATION),
      }),
    ),
    ...ACTIVATIONS.map(
      (activation): GpuCase => ({
        name: `${join}, ${activationName(activation)}`,
        usually,
        run: (gpu) => run(gpu, join, [2, 5, 7], activation),
      }),
    ),
  ],
);
