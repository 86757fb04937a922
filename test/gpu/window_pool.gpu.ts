import type { Gpu } from '../../src/gpu/gpu';
import { windowPool } from '../../src/kernels/graph/window_pool';
import type { WindowShape } from '../../src/kernels/graph/window_shape';
import type { GpuCase } from '../harness/case';
import { assertClose, testValues } from '../harness/compare';
import { embedded, expectedIn, windowShape } from '../harness/windows';
import { windowPoolReference } from '../reference/window';

const CHANNELS = 3;

const sizes = {
  'of 3 x 3 by 2': windowShape({
    size: [9, 12],
    channels: [CHANNELS, CHANNELS],
    kernel: [3, 3],
    stride: [2, 2],
    padding: [1, 1, 1, 1],
  }),
  'that overlap, unlike by axis': windowShape({
    size: [7, 8],
    channels: [CHANNELS, CHANNELS],
    kernel: [2, 5],
    stride: [1, 3],
    padding: [1, 0, 0, 2],
  }),
  // As ceil_mode of PyTorch leaves it: the last windows reach beyond the input.
  'that reach over': windowShape({
    size: [6, 8],
    channels: [CHANNELS, CHANNELS],
    kernel: [3, 3],
    stride: [2, 2],
    padding: [0, 0, 1, 1],
  }),
  'of one value': windowShape({
    size: [5, 4],
    channels: [CHANNELS, CHANNELS],
    kernel: [1, 1],
    stride: [2, 2],
  }),
  'of the whole input': windowShape({
    size: [61, 64],
    channels: [CHANNELS, CHANNELS],
    kernel: [61, 64],
  }),
} as const satisfies Record<string, WindowShape>;

async function run(
  gpu: Gpu,
  shape: WindowShape,
  of: 'max' | 'average',
  countsPadding: boolean,
): Promise<string> {
  const batch = 2;
  const input = inputOf(shape, batch);
  const expected = windowPoolReference(shape, batch, input, of, countsPadding);
  const { output, read } = pooling(gpu, shape, batch, input, of, countsPadding);
  const whole = expectedIn(output, expected, batch, CHANNELS);
  return assertClose('output', await read(), whole.values, whole.tolerance);
}

/** One sign only in some planes: a maximum that starts from 0 would show, and so would one of padding. */
function inputOf({ height, width }: WindowShape, batch: number): Float32Array<ArrayBuffer> {
  const plane = height * width;
  return testValues(batch * CHANNELS * plane, 1).map((value, i) =>
    Math.floor(i / plane) % 2 ? 1e3 * value : -Math.abs(value),
  );
}

function pooling(
  gpu: Gpu,
  shape: WindowShape,
  batch: number,
  input: Float32Array,
  of: 'max' | 'average',
  countsPadding = false,
) {
  const outputs = batch * CHANNELS * shape.outHeight * shape.outWidth;
  const output = embedded(
    gpu,
    'output',
    new Float32Array(outputs).fill(-123),
    batch,
    CHANNELS,
    [2, 1],
  );
  const read = async (): Promise<Float32Array> => {
    await gpu.submit('window pool', [
      windowPool({
        label: 'test',
        of,
        shape: { ...shape, channels: CHANNELS },
        countsPadding,
        batch,
        input: embedded(gpu, 'input', input, batch, CHANNELS, [1, 2]),
        output,
      }),
    ]);
    return gpu.read(output.slice.buffer);
  };
  return { output, read };
}

/** NaN and both infinities come out as +infinity, wherever a window sees them, and nowhere else. */
async function notFinite(gpu: Gpu, of: 'max' | 'average'): Promise<string> {
  const shape = sizes['of 3 x 3 by 2'];
  const input = inputOf(shape, 1);
  const plane = shape.height * shape.width;
  // In the middle of a window: the one output that sees it.
  const at = 2 * shape.width + 2;
  [Number.NaN, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY].forEach((value, channel) => {
    input[channel * plane + at] = value;
  });
  const { output, read } = pooling(gpu, shape, 1, input, of);
  const values = await read();
  const size = shape.outHeight * shape.outWidth;
  for (let channel = 0; channel < CHANNELS; channel++) {
    const start = (output.first + channel) * size;
    const wrong = [...values.subarray(start, start + size)].findIndex(
      (value, i) => (value === Number.POSITIVE_INFINITY) !== (i === shape.outWidth + 1),
    );
    if (wrong >= 0)
      throw new Error(`channel ${channel}, output ${wrong}: ${values[start + wrong]}`);
  }
  return 'three planes';
}

// lavapipe takes long to compile them, and the networks of graphs.gpu.ts go through all of them there.
const usually = ['chrome'] as const;

export const cases: GpuCase[] = [
  ...Object.entries(sizes).flatMap(([name, shape]) =>
    [
      { of: 'max', counts: false },
      { of: 'average', counts: false },
      { of: 'average', counts: true },
    ].map(
      ({ of, counts }): GpuCase => ({
        name: `${of}${counts ? ' with padding' : ''}, windows ${name}`,
        usually,
        run: (gpu) => run(gpu, shape, of as 'max' | 'average', counts),
      }),
    ),
  ),
  ...(['max', 'average'] as const).map(
    (of): GpuCase => ({
      name: `${of}: what is not finite`,
      usually,
      run: (gpu) => notFinite(gpu, of),
    }),
  ),
];
