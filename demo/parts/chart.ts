import * as Plot from '@observablehq/plot';
import { h } from '../dom';

export { Plot };

/** A plot for so many pixels. */
export type Drawing = (width: number) => Plot.PlotOptions;

/**
 * A plot as wide as its place, drawn anew when that changes, with what it says in words and the figures behind it in a
 * table. Colours are the page's, by its custom properties.
 * @param figures what somebody reads who cannot see the plot, or wants the numbers
 * @param signal ends it
 */
export function chart(
  says: string,
  draw: Drawing,
  figures: { readonly open: string; readonly table: HTMLElement },
  signal: AbortSignal,
): HTMLElement {
  const place = h('div', { class: 'chart', role: 'img', 'aria-label': says });
  let drawn = 0;
  const resized = new ResizeObserver(([entry]) => {
    const width = Math.floor(entry?.contentRect.width ?? 0);
    if (width === 0 || width === drawn) return;
    drawn = width;
    place.replaceChildren(svg({ ...draw(width), width }));
  });
  resized.observe(place);
  signal.addEventListener('abort', () => resized.disconnect());
  return h(
    'figure',
    { class: 'whole' },
    place,
    h('figcaption', {}, says),
    h('details', {}, h('summary', {}, figures.open), figures.table),
  );
}

/** A plot that the page's policy admits. */
export function svg(options: Plot.PlotOptions): Element {
  const plot = Plot.plot({ ...options, className: 'plot' });
  // The page's policy takes no style elements; parts.css says the same.
  for (const style of plot.querySelectorAll('style')) style.remove();
  // The place round it has the text; its parts would be read out one by one.
  plot.setAttribute('aria-hidden', 'true');
  return plot;
}
