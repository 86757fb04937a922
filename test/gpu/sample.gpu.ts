import { createExplainer } from '../../src/index';
import sample from '../fixtures/sample_map.json';
import type { GpuCase } from '../harness/case';
import { assertClose } from '../harness/compare';
import { expectSame } from '../harness/expect';
import { decodePng } from '../harness/png';
import { sampleNote } from '../harness/sample-note';
import { normaliseReference, upsampleReference } from '../reference/interpolation';

const SIZE = { mapHeight: 14, mapWidth: 14, height: 224, width: 224, alignCorners: false };

/** As of the small networks (explainer.gpu.ts): no more roundings a sum than those, and a map that fills its range. */
const TOLERANCE = 1e-4;

/** The browser or runtime, such as `Firefox/153.0`. */
const host = (): string =>
  /(HeadlessChrome|Firefox|Deno|Node\.js)\/[\d.]+/.exec(navigator.userAgent)?.[0] ?? '';

/** The whole way through a network of VGG-16's layers, as somebody tries it first. */
export const cases: GpuCase[] = [
  {
    name: 'the embedded model explains its sample as f64 does',
    async run(gpu, { baseUrl }) {
      const scenes = `${baseUrl}/weights/scenes-vgg16`;
      const image = await decodePng(await (await fetch(`${scenes}/sample.png`)).blob());
      const explainer = await createExplainer({
        model: `${scenes}/manifest.json`,
        device: gpu.device,
      });
      try {
        const start = performance.now();
        const explanation = await explainer.explain(image);
        const ms = performance.now() - start;
        if (explanation.class.index !== sample.class) {
          throw new Error(`class ${explanation.class.index}, not ${sample.class}`);
        }
        assertClose('weights', explanation.weights, sample.weights, TOLERANCE);
        const sum = upsampleReference(sample.sum, SIZE).map((value) => Math.max(value, 0));
        const expected = normaliseReference(sum);
        const { data } = explanation.map;
        assertClose('map', data, expected, TOLERANCE);
        const error = Math.max(
          ...data.map((value, i) => Math.abs(value - (expected[i] as number))),
        );
        return sampleNote({
          error,
          ms,
          by: `${host()}, ${gpu.adapter.description || 'an adapter that says nothing'}`,
        });
      } finally {
        explainer.dispose();
      }
    },
  },
  {
    name: 'an explanation that was prepared compiles no kernel, and is the same',
    async run(gpu, { baseUrl }) {
      const scenes = `${baseUrl}/weights/scenes-vgg16`;
      const image = await decodePng(await (await fetch(`${scenes}/sample.png`)).blob());
      const { device } = gpu;
      const labels: string[] = [];
      const compile = device.createComputePipelineAsync;
      device.createComputePipelineAsync = (pipeline) => {
        labels.push(pipeline.label ?? '');
        return compile.call(device, pipeline);
      };
      const notes: string[] = [];
      try {
        for (const options of [
          { method: 'score-cam', channels: [0, 1, 2, 3, 4, 5, 6, 7], onPreview() {} },
          { method: 'grad-cam' },
        ] as const) {
          const maps: Float32Array[] = [];
          for (const prepare of [options.method, undefined]) {
            const model = `${scenes}/manifest.json`;
            const explainer = await createExplainer({ model, device, prepare });
            await explainer.prepared;
            const before = labels.length;
            maps.push((await explainer.explain(image, options)).map.data);
            explainer.dispose();
            const compiled = labels.splice(0).slice(before);
            if (prepare) expectSame('compiled after all', compiled, []);
            // Those of the weights were there before.
            else notes.push(`${options.method}: ${compiled.length} kernels`);
            if (!prepare && compiled.length < 10) throw new Error(`only ${compiled.join()}`);
          }
          expectSame('maps', [...(maps[0] ?? [])], [...(maps[1] ?? [0])]);
        }
      } finally {
        Reflect.deleteProperty(device, 'createComputePipelineAsync');
      }
      return notes.join('; ');
    },
  },
];
