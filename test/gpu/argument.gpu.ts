import { base64Of } from '../../cli/base64';
import { argue } from '../../cli/evaluation/argue';
import { sanity } from '../../cli/evaluation/sanity';
import { takeSubject } from '../../cli/evaluation/subject';
import type { Subject } from '../../cli/evaluation/types';
import { createExplainer, type Model } from '../../src/index';
import type { GpuCase } from '../harness/case';
import { assertClose } from '../harness/compare';
import { smallImage, smallLayers, smallModel } from '../harness/small-model';
import { writeSafetensors } from '../harness/weight-writers';

/** A picture as the command line sends it. */
async function noise(): Promise<Subject> {
  const image = smallImage();
  const canvas = new OffscreenCanvas(image.width, image.height);
  (canvas.getContext('2d') as OffscreenCanvasRenderingContext2D).putImageData(image, 0, 0);
  const png = await base64Of(await canvas.convertToBlob({ type: 'image/png' }));
  return { kind: 'file', name: 'noise.png', base64: png, objects: [] };
}

const networks = [
  ['vggLike', 'conv3', 'CAM needs a pooling head'],
  ['poolingHead', 'conv2', undefined],
] as const;

const figures: GpuCase[] = networks.map(([layers, targetLayer, refusal]) => ({
  name: `the argument's figures are those of the methods: ${layers}`,
  needs: ['canvas'],
  usually: layers === 'vggLike' ? ['chrome'] : [],
  run: async (gpu) => {
    const model = smallModel({ layers: smallLayers[layers], targetLayer });
    const explainer = await createExplainer({ model, device: gpu.device });
    try {
      await takeSubject(explainer, await noise());
      const found = await argue(explainer, 1, async () =>
        smallModel({ layers: smallLayers[layers], targetLayer }),
      );
      const increase = await explainer.explain(smallImage(), { weighting: 'increase', class: 1 });
      const grad = await explainer.explain(smallImage(), { method: 'grad-cam', class: 1 });
      const channels = found.maps.map(({ channel }) => channel);
      const rest = [...grad.weights.keys()].filter((k) => !channels.includes(k));
      if (rest.join() !== increase.constantChannels.join()) throw new Error(`left out: ${rest}`);
      for (const { channel, gradient, increase: rise } of found.maps) {
        const expected = [grad.weights[channel], increase.weights[channel]] as number[];
        assertClose(`map ${channel}`, [gradient, rise], expected, 0);
      }
      // The gradient of p_c is p_c times that of z_c less the mean of all; at the whole image both are known.
      const end = found.saturation.at(-1);
      const ofProbability = await explainer.explain(smallImage(), {
        method: 'grad-cam',
        of: 'probability',
        class: 1,
      });
      assertClose(
        'the whole image',
        [end?.t ?? 0, end?.probability ?? 0, end?.ofLogit ?? 0, end?.ofProbability ?? 0],
        [
          1,
          grad.class.probability,
          Math.hypot(...grad.weights),
          Math.hypot(...ofProbability.weights),
        ],
        1e-12,
      );
      if (found.saturation.length !== 11 || found.discrimination.length !== 0) {
        throw new Error('eleven strengths and no boxes expected');
      }
      if (refusal) {
        const said = 'refused' in found.cam ? found.cam.refused : '';
        if (!said.includes(refusal)) throw new Error(`CAM: ${said}`);
        const { difference } = 'variant' in found.cam ? found.cam.variant : { difference: 1 };
        return assertClose('CAM against Grad-CAM under a pooling head', [difference], [0], 1e-4);
      }
      if (!('difference' in found.cam)) throw new Error('CAM was refused');
      return assertClose('CAM against Grad-CAM', [found.cam.difference], [0], 1e-4);
    } finally {
      explainer.dispose();
    }
  },
}));

const poolingModel = (): Model =>
  smallModel({ layers: smallLayers.poolingHead, targetLayer: 'conv2' });

/** A site of one model, whose files arrive in small pieces: counts the bodies that nobody ended or left. */
async function withSite(run: (address: string, open: ReadonlySet<string>) => Promise<void>) {
  const { manifest, weights } = poolingModel();
  const files = new Map([
    ['/manifest.json', new TextEncoder().encode(JSON.stringify(manifest))],
    ['/none', await writeSafetensors(weights)],
  ]);
  const open = new Set<string>();
  let asked = 0;
  const real = globalThis.fetch;
  globalThis.fetch = async (address, init) => {
    const url = new URL(String(address));
    const bytes = url.hostname === 'site.test' ? files.get(url.pathname) : undefined;
    if (!bytes) return real(address, init);
    const request = `${url.pathname}, request ${asked++}`;
    open.add(request);
    const from = Number(
      /bytes=(\d+)/.exec(new Headers(init?.headers).get('range') ?? '')?.[1] ?? 0,
    );
    let at = from;
    const body = new ReadableStream<Uint8Array>(
      {
        start(controller) {
          init?.signal?.addEventListener('abort', () => {
            open.delete(request);
            controller.error(init.signal?.reason);
          });
        },
        pull(controller) {
          if (at < bytes.length) {
            controller.enqueue(bytes.slice(at, at + 1024));
            at += 1024;
            return;
          }
          open.delete(request);
          controller.close();
        },
        cancel: () => void open.delete(request),
      },
      { highWaterMark: 0 },
    );
    const range = { 'content-range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` };
    const headers = { 'content-length': String(bytes.length - from), ...(from > 0 ? range : {}) };
    return new Response(body, { status: from > 0 ? 206 : 200, headers });
  };
  try {
    await run('http://site.test/manifest.json', open);
  } finally {
    globalThis.fetch = real;
  }
}

const closing: GpuCase = {
  name: 'cascading randomisation leaves no body of its model open',
  needs: ['canvas'],
  run: async (gpu) => {
    const explainer = await createExplainer({ model: poolingModel(), device: gpu.device });
    try {
      await takeSubject(explainer, await noise());
      await withSite(async (address, open) => {
        const spec = { name: 'grad-cam', method: 'grad-cam', options: {} } as const;
        const points = await sanity(explainer, address, [spec], () => {});
        if (points.length !== 3) throw new Error(`${points.length} stages, 3 expected`);
        if (open.size > 0) throw new Error(`left open: ${[...open].join('; ')}`);
      });
    } finally {
      explainer.dispose();
    }
    return undefined;
  },
};

export const cases: GpuCase[] = [...figures, closing];
