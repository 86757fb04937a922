/** An image in, a heat map out, all through the library's public API. */
import { percent } from '../../cli/words';
import { h } from '../dom';
import type en from '../texts/en/explain';
import type { Context, Mounted } from '../view';

export function mount(root: HTMLElement, { texts, models, subject }: Context<typeof en>): Mounted {
  const stop = new AbortController();
  const status = h('p', { id: 'status', role: 'status' }, texts.looking);
  const canvas = h('canvas', { id: 'canvas', role: 'img', width: 224, height: 224 });
  const run = async (): Promise<void> => {
    try {
      const [explainer, image] = await Promise.all([models.explainer(), subject.image()]);
      const explanation = await explainer.explain(image, { signal: stop.signal });
      await explanation.draw(canvas);
      const { label, probability } = explanation.class;
      status.textContent = texts.here(label, percent(probability));
    } catch (error) {
      if (!stop.signal.aborted) status.textContent = String(error);
    }
  };
  root.append(h('h1', {}, texts.heading), h('div', { class: 'drop' }, canvas), status);
  void run();
  return { dispose: () => stop.abort() };
}
