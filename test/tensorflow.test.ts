/** Networks as TensorFlow.js is measured with, run by its CPU backend where its packages are installed. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { tensorFlowRunner } from '../bench/peers/tensorflow';
import { projectRoot } from '../cli/server';
import { isWeighted, sizeOf, weightShape } from '../src/model/network';
import { elementCount } from '../src/model/weight-source';
import { assertClose, sumTolerance, testValues } from './harness/compare';
import { type SmallGraphName, smallGraph, smallGraphs } from './harness/small-graph';
import { smallModel } from './harness/small-model';
import { graphForward, logitsOf } from './reference/graph';

const folder = join(projectRoot, 'bench/node_modules/@tensorflow');
const isInstalled = existsSync(join(folder, 'tfjs-backend-cpu'));
const where = isInstalled ? '' : ' (skipped: "npm run bench -- --peers" installs it)';
const names = (Object.keys(smallGraphs) as SmallGraphName[]).filter((name) => name !== 'groups');

describe.skipIf(!isInstalled)(`TensorFlow.js${where}`, () => {
  beforeAll(async () => {
    const load = createRequire(join(folder, 'tfjs-backend-cpu/package.json'));
    globalThis.tf = load('@tensorflow/tfjs-core');
    load('@tensorflow/tfjs-backend-cpu');
    await tf.setBackend('cpu');
  });

  it.each([
    ['small', smallModel()] as const,
    ...names.map((name) => [name, smallGraph(name)] as const),
  ])('computes the logits of "%s"', async (_, { network, weights }) => {
    const image = new Float32Array(testValues(sizeOf(network.input), 3));
    const expected = logitsOf(network, await graphForward(network, weights, image));
    const run = await tensorFlowRunner({ network, weights });
    const magnitude = Math.max(...expected.map(Math.abs));
    // As of onnxruntime-web: every layer's bound for sums that are as large as the largest logit.
    const tolerance = network.layers.reduce((sum, layer) => {
      if (!isWeighted(layer)) return sum;
      return sum + sumTolerance(elementCount(weightShape(layer).slice(1)), magnitude);
    }, 0);
    assertClose('logits', await run(image), expected, tolerance);
  });

  it('has no groups of several channels, and says so', async () => {
    await expect(tensorFlowRunner(smallGraph('groups'))).rejects.toThrow(
      'no convolution in 3 groups of 4 channels (layer "grouped")',
    );
  });
});
