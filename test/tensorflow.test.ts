/** Networks as TensorFlow.js is measured with, run by its CPU backend where its packages are installed. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { seededModel } from '../bench/peers/models';
import { swap, tensorFlowRunner } from '../bench/peers/tensorflow';
import { projectRoot } from '../cli/server';
import { openModel } from '../src/index';
import { isWeighted, sizeOf, weightShape } from '../src/model/network';
import { elementCount } from '../src/model/weight-source';
import { assertClose, sumTolerance, testValues } from './harness/compare';
import { kerasFiles } from './harness/keras-of';
import { type SmallGraphName, smallGraph, smallGraphs } from './harness/small-graph';
import { smallModel } from './harness/small-model';
import { graphForward, logitsOf } from './reference/graph';

const folder = join(projectRoot, 'bench/node_modules/@tensorflow');
const load = createRequire(join(folder, 'tfjs-backend-cpu/package.json'));
const isThere = (part: string): boolean => existsSync(join(folder, `tfjs-${part}`));
const isInstalled = isThere('backend-cpu');
const where = isInstalled ? '' : ' (skipped: "npm run bench -- --peers" installs it)';
const names = (Object.keys(smallGraphs) as SmallGraphName[]).filter((name) => name !== 'groups');

type Values = ReturnType<typeof tf.tensor>;

/** The little of @tensorflow/tfjs-layers that is used. */
interface KerasLayers {
  loadLayersModel(files: {
    load(): Promise<{ modelTopology: object; weightSpecs: object; weightData: ArrayBuffer }>;
  }): Promise<{ predict(x: Values): Values }>;
}

describe.skipIf(!isInstalled)(`TensorFlow.js${where}`, () => {
  beforeAll(async () => {
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

  // What keras.gpu.ts reads, by the library whose format it is.
  it.skipIf(!isThere('layers')).each(['squeezenet1_1', 'mobilenet_v2'])(
    'reads the files that the tests write of "%s"',
    async (name) => {
      const model = await openModel(seededModel(`${name}-seeded-1`), undefined);
      const [first, ...shards] = await kerasFiles(model);
      const { modelTopology, weightsManifest } = JSON.parse(await (first as File).text());
      const weightData = await new Blob(shards).arrayBuffer();
      const layers: KerasLayers = load('@tensorflow/tfjs-layers');
      const read = await layers.loadLayersModel({
        load: async () => ({ modelTopology, weightSpecs: weightsManifest[0].weights, weightData }),
      });
      const { network, weights } = model;
      const { channels, height, width } = network.input;
      const image = testValues(sizeOf(network.input), 3);
      const expected = logitsOf(network, await graphForward(network, weights, image));
      const nhwc = tf.tensor(swap(image, channels, height * width), [1, height, width, channels]);
      const logits = await read.predict(nhwc).data();
      assertClose('logits', logits, expected, 1e-5 * Math.max(...expected.map(Math.abs)));
    },
  );

  it('has no groups of several channels, and says so', async () => {
    await expect(tensorFlowRunner(smallGraph('groups'))).rejects.toThrow(
      'no convolution in 3 groups of 4 channels (layer "grouped")',
    );
  });
});
