/** Networks from ONNX files compute what PyTorch computes with the same weights. */
import { describe, expect, it } from 'vitest';
import { onnxImage, onnxLogits, onnxNames, openFixture } from './harness/onnx-fixtures';
import { graphForward, logitsOf } from './reference/graph';

/** PyTorch's own rounding: its sums are f32. */
const TOLERANCE = 2e-5;

describe('networks as exporters write them', () => {
  it('are all listed with their logits', () => {
    expect(Object.keys(onnxLogits).sort()).toEqual([...onnxNames].sort());
  });

  it.each(onnxNames)('%s gives the logits that PyTorch gives', async (name) => {
    const { network, model } = await openFixture(name);
    const { size, logits } = onnxLogits[name] as (typeof onnxLogits)[string];
    expect(model.input).toEqual({ height: size[0], width: size[1] });
    const pass = await graphForward(network, model.weights, onnxImage(...size));
    const found = Array.from(logitsOf(network, pass));
    // Where a softmax was left out, PyTorch's probabilities say logits but for a constant.
    const shift = (found[0] as number) - (logits[0] as number);
    const constant = name === 'various' ? shift : 0;
    const scale = Math.max(...logits.map(Math.abs));
    const largest = Math.max(
      ...found.map((value, i) => Math.abs(value - constant - (logits[i] as number))),
    );
    expect(found).toHaveLength(logits.length);
    expect(largest).toBeLessThan(TOLERANCE * Math.max(1, scale));
    expect(Math.max(...logits) - Math.min(...logits)).toBeGreaterThan(0.02);
  });
});
