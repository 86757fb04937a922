import { argue, takeSubject } from '../../cli/evaluation/in-page';
import { createExplainer } from '../../src/index';
import type { GpuCase } from '../harness/case';
import { assertClose } from '../harness/compare';
import { smallImage, smallLayers, smallModel } from '../harness/small-model';

/** The picture as the command line sends it. */
async function base64Of(image: ImageData): Promise<string> {
  const canvas = new OffscreenCanvas(image.width, image.height);
  (canvas.getContext('2d') as OffscreenCanvasRenderingContext2D).putImageData(image, 0, 0);
  const bytes = new Uint8Array(
    await (await canvas.convertToBlob({ type: 'image/png' })).arrayBuffer(),
  );
  return btoa(String.fromCharCode(...bytes));
}

const networks = [
  ['vggLike', 'conv3', 'CAM needs a pooling head'],
  ['poolingHead', 'conv2', undefined],
] as const;

export const cases: GpuCase[] = networks.map(([layers, targetLayer, refusal]) => ({
  name: `the argument's figures are those of the methods: ${layers}`,
  run: async (gpu) => {
    const model = smallModel({ layers: smallLayers[layers], targetLayer });
    const explainer = await createExplainer({ model, device: gpu.device });
    try {
      const base64 = await base64Of(smallImage());
      await takeSubject(explainer, { kind: 'file', name: 'noise.png', base64, objects: [] });
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
