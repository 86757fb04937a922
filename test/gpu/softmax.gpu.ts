import { softmax } from '../../src/kernels/layers/softmax';
import type { GpuCase } from '../harness/case';
import { assertClose, sumTolerance, testValues } from '../harness/compare';
import { softmaxReference } from '../reference/softmax';

/** Rows round the workgroup size of 64, classes from 1 to ImageNet's 1000. */
const shapes = [
  [1, 1],
  [1, 1000],
  [63, 12],
  [64, 2],
  [65, 13],
] as const;

export const cases: GpuCase[] = shapes.map(([rows, classes]) => ({
  name: `rows ${rows}, classes ${classes}`,
  async run(gpu) {
    const logits = testValues(rows * classes, 1).map((value) => value * 60);
    const input = gpu.upload('logits', logits);
    const output = gpu.createBuffer('probabilities', logits.byteLength);
    await gpu.submit('softmax', [
      softmax({
        label: 'test',
        logits: { buffer: input },
        probabilities: { buffer: output },
        rows,
        classes,
      }),
    ]);
    const expected = softmaxReference(logits, rows, classes);
    // WGSL allows exp an error of 3 + 2|x| ULP; |x| <= 120 here. The rest is the sum's own error.
    const tolerance = expected.map(
      (value) => value * (2 * 243 * 2 ** -23 + sumTolerance(classes, 1)) + 1e-37,
    );
    return assertClose('probabilities', await gpu.read(output), expected, tolerance);
  },
}));
