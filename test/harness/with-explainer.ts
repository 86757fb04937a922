import type { Gpu } from '../../src/gpu/gpu';
import { createExplainer, type Explainer, type Model } from '../../src/index';

/** Runs `work` with an explainer of the model on the case's device and disposes of it. */
export async function withExplainer<T>(
  gpu: Gpu,
  model: Model,
  work: (explainer: Explainer) => Promise<T>,
  memoryBudget?: number,
): Promise<T> {
  const explainer = await createExplainer({ model, device: gpu.device, memoryBudget });
  try {
    return await work(explainer);
  } finally {
    explainer.dispose();
  }
}
