import * as Plot from '@observablehq/plot';

/** A plot as SVG text, or as what else somebody makes of it. */
export type Draw<Drawn = string> = (options: Plot.PlotOptions) => Drawn;

/**
 * Draws in a document: a browser's, or linkedom's in Node. Colours are the page's, so that a plot looks right on
 * light, dark and paper.
 */
export function drawIn(document: Document): Draw {
  return (options) => {
    const element = Plot.plot({
      ...options,
      document,
      className: 'plot',
      style: { background: 'none', color: 'currentColor', fontFamily: 'inherit', fontSize: '12px' },
    });
    element.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
    // The figure round it has the text; its parts would be read out one by one.
    element.setAttribute('aria-hidden', 'true');
    return element.outerHTML;
  };
}
