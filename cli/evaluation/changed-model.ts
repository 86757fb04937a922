/// Runs in headless Chrome: explainers of models whose weights or head are changed.
import { createExplainer, type Explainer, type Model } from '../../src/index';

/** An explainer of the model as `change` makes it. The weights that were opened for it are closed in any case. */
export async function explainerOf(
  model: Model,
  change: (model: Model) => Model,
): Promise<Explainer> {
  try {
    return await createExplainer({ model: change(model) });
  } finally {
    await model.weights.close?.();
  }
}
