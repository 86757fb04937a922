import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';

const STYLE = { background: 'white', color: 'black', fontFamily: 'sans-serif', fontSize: '12px' };

/** A plot as SVG text, drawn without a browser, on white: readable on a light and on a dark page. */
export function svg(options: Plot.PlotOptions): string {
  const { document } = parseHTML('<html><body></body></html>');
  const element = Plot.plot({ ...options, document, style: STYLE });
  element.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  return `${element.outerHTML}\n`;
}
