import { readFileSync } from 'node:fs';
import { describe, expect, inject, it } from 'vitest';
import { normalise } from '../src/explain/image';
import { type GraphGolden, goldenGraph } from './harness/golden-graph';
import { decodePng } from './harness/png';
import { graphBackward, graphForward, logitsOf } from './reference/graph';

const shared = inject('sharedFolder');

/** The f64 reference of graphs is right: so PyTorch says, of every operation of networks that people use. */
// 30 s of a core, of a reference that graph_reference.test.ts holds to differences in each run.
describe.skipIf(!shared || !process.env.SCORE_CAM_SLOW)(
  'the f64 reference of graphs, at full size',
  () => {
    it.each(['resnet18', 'squeezenet1_1', 'mobilenet_v2', 'densenet121'])(
      'computes and differentiates as PyTorch does: %s',
      async (name) => {
        const folder = `${shared}/golden/${name}-seed1`;
        const golden: GraphGolden = JSON.parse(readFileSync(`${folder}/golden.json`, 'utf8'));
        const { manifest, network, weights } = goldenGraph(golden);
        for (const { name: tensor, shape, first, last } of golden.tensors) {
          const count = shape.reduce((a, b) => a * b, 1);
          const values = await weights.read(tensor, 0, count);
          expect([...values.subarray(0, 3), values.at(-1)], tensor).toEqual(
            [...first, last].map(Math.fround),
          );
        }
        const image = await decodePng(new Blob([readFileSync(`${folder}/image.png`)]));
        const pass = await graphForward(network, weights, normalise(image, manifest));
        for (const { name: stage, std, samples } of golden.stages) {
          const values = pass.outputs.get(stage) as Float64Array;
          for (const [at, value] of samples) {
            // PyTorch's own error in f32.
            expect(Math.abs((values[at] as number) - value) / std, `${stage} ${at}`).toBeLessThan(
              1e-5,
            );
          }
        }
        const logits = logitsOf(network, pass);
        expect(logits.length).toBe(golden.logits.length);
        logits.forEach((value, c) => {
          expect(Math.abs(value - (golden.logits[c] as number)), `logit ${c}`).toBeLessThan(5e-5);
        });
        for (const [c, { gradcam_alpha: alpha }] of Object.entries(golden.classes)) {
          const score = { classIndex: Number(c), of: 'logit' } as const;
          const gradients = await graphBackward(network, weights, pass, score, golden.target_stage);
          const gradient = gradients.get(golden.target_stage) as Float64Array;
          const plane = gradient.length / alpha.length;
          const largest = alpha.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
          alpha.forEach((value, k) => {
            const own = gradient.subarray(k * plane, (k + 1) * plane);
            const mean = own.reduce((sum, one) => sum + one, 0) / plane;
            expect(Math.abs(mean - value) / largest, `${c}, channel ${k}`).toBeLessThan(1e-5);
          });
        }
      },
    );
  },
);
