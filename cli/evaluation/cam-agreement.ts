/// Runs in a browser: CAM against Grad-CAM.
import { type Explainer, type Explanation, type Model, ScoreCamError } from '../../src/index';
import type { Argument, CamAgreement } from './argument';
import { explainerOf } from './changed-model';
import { withPoolingHead } from './pooling-variant';

/** CAM against Grad-CAM; where it is refused, the refusal and the two on the same layers under a pooling head. */
export async function camOf(
  explainer: Explainer,
  grad: Explanation,
  image: ImageData | Blob,
  load: () => Promise<Model>,
): Promise<Argument['cam']> {
  let refused: string;
  try {
    return await camAgainst(explainer, grad, image);
  } catch (error) {
    if (!(error instanceof ScoreCamError && error.code === 'option')) throw error;
    refused = error.message;
  }
  const variant = await explainerOf(await load(), (model) => withPoolingHead(model, 1));
  try {
    const { index } = grad.class;
    const other = await variant.explain(image, { method: 'grad-cam', class: index });
    return { refused, variant: await camAgainst(variant, other, image) };
  } finally {
    variant.dispose();
  }
}

/** How far CAM's weights are from Grad-CAM's up to scale, as a share of the largest. */
async function camAgainst(
  explainer: Explainer,
  grad: Explanation,
  image: ImageData | Blob,
): Promise<CamAgreement> {
  const cam = await explainer.explain(image, { method: 'cam', class: grad.class.index });
  // On the same maps, CAM's weights are Grad-CAM's times the number of pixels.
  const largest = Math.max(...grad.weights.map(Math.abs));
  const scale = Math.max(...cam.weights.map(Math.abs)) / largest;
  const difference = cam.weights.reduce(
    (most, w, k) => Math.max(most, Math.abs(w / scale - (grad.weights[k] as number))),
    0,
  );
  return { difference: difference / largest };
}
