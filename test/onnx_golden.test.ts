/**
 * The full-size seeded networks of the reference data, exported to ONNX by PyTorch: logits and target maps. Needs the
 * reference data and SCORE_CAM_ONNX, a folder that `test/fixtures/onnx/export.py full` has written to.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { projectRoot } from '../cli/server';
import { blobSource } from '../src/model/bytes/byte-source';
import { folderOpener, openOnnx } from './harness/onnx-fixtures';
import { decodePng } from './harness/png';
import { graphForward, logitsOf } from './reference/graph';

const golden = join(projectRoot, '../shared/golden');
const exported = process.env.SCORE_CAM_ONNX ?? '';
const isThere = existsSync(golden) && existsSync(join(exported, 'resnet18-13.onnx'));
const where = isThere
  ? ''
  : ' (skipped: no reference data, or SCORE_CAM_ONNX names no exported files)';

const MEAN = [0.485, 0.456, 0.406];
const STD = [0.229, 0.224, 0.225];

describe.skipIf(!isThere)(`full-size networks from ONNX${where}`, () => {
  it.each(
    ['resnet18', 'mobilenet_v2', 'squeezenet1_1', 'densenet121'].flatMap((name) => [
      [name, 11] as const,
      [name, 13] as const,
    ]),
  )('%s of opset %i gives the logits and the target map', async (name, opset) => {
    const folder = join(golden, `${name}-seed1`);
    const { logits } = JSON.parse(readFileSync(join(folder, 'golden.json'), 'utf8')) as {
      logits: number[];
    };
    const target = new Float32Array(
      new Uint8Array(readFileSync(join(folder, 'target.f32'))).buffer,
    );
    const { data } = await decodePng(new Blob([readFileSync(join(folder, 'image.png'))]));
    const plane = data.length / 4;
    const image = Float32Array.from({ length: 3 * plane }, (_, i) => {
      const channel = Math.floor(i / plane);
      const value = (data[4 * (i % plane) + channel] as number) / 255;
      return (value - (MEAN[channel] as number)) / (STD[channel] as number);
    });
    const file = new Blob([readFileSync(join(exported, `${name}-${opset}.onnx`))]);
    const { network, model } = await openOnnx(
      blobSource(file, `${name}.onnx`),
      folderOpener(new Map()),
    );
    const pass = await graphForward(network, model.weights, image);
    expect(distance(logitsOf(network, pass), logits)).toBeLessThan(1e-4);
    const map = pass.outputs.get(model.targetLayer) ?? [];
    expect(distance(map, target)).toBeLessThan(1e-4);
  });
});

/** The largest difference, as a share of the standard deviation. */
function distance(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  expect(found.length).toBe(expected.length);
  const values = Array.from(expected);
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const deviation = Math.sqrt(
    values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length,
  );
  return (
    values.reduce((most, value, i) => Math.max(most, Math.abs((found[i] as number) - value)), 0) /
    deviation
  );
}
