/** The plots of "Why not gradients". */
import type { FalseConfidence, MapWeights } from '../../cli/evaluation/argument';
import { h } from '../dom';
import type { WalkPoint } from '../study/walk';
import type en from '../texts/en/why';
import { chart, Plot } from './chart';

/** How a line looks: by colour, and by dashes for who does not see it. */
const SERIES = [
  { key: 'probability', colour: 'var(--series-0)', dash: undefined },
  { key: 'ofProbability', colour: 'var(--series-1)', dash: '7 3' },
  { key: 'logit', colour: 'var(--series-2)', dash: '2 3' },
  { key: 'ofLogit', colour: 'var(--series-3)', dash: '9 3 2 3' },
] as const;

/** A piece of a line. */
function swatch({ colour, dash = 'none' }: { colour: string; dash: string | undefined }): Element {
  const make = (name: string, attributes: Readonly<Record<string, string>>): Element => {
    const element = document.createElementNS('http://www.w3.org/2000/svg', name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    return element;
  };
  const svg = make('svg', { viewBox: '0 0 40 12', 'aria-hidden': 'true' });
  const line = { x1: '0', x2: '40', y1: '6', y2: '6', 'stroke-width': '3' };
  svg.append(make('line', { ...line, stroke: colour, 'stroke-dasharray': dash }));
  return svg;
}

/** Score and size of the gradient along the way, each as a share of its largest; the probability as it is. */
export function lines(
  points: readonly WalkPoint[],
  texts: (typeof en)['saturation'],
  open: string,
  table: HTMLElement,
  signal: AbortSignal,
): HTMLElement {
  const marks = SERIES.map(({ key, colour, dash }) => {
    const largest = key === 'probability' ? 1 : Math.max(...points.map((point) => point[key]));
    return Plot.line(points, {
      x: 't',
      y: (point: WalkPoint) => point[key] / largest,
      stroke: colour,
      strokeWidth: 2.5,
      ...(dash ? { strokeDasharray: dash } : {}),
    });
  });
  const figure = chart(
    texts.chart,
    () => ({
      height: 320,
      marginBottom: 40,
      x: { label: texts.axes.t },
      y: { label: texts.axes.share, grid: true, domain: [0, 1] },
      marks: [Plot.ruleY([0]), ...marks],
    }),
    { open, table },
    signal,
  );
  figure.firstElementChild?.after(
    h(
      'ul',
      { class: 'legend-lines' },
      ...SERIES.map(({ key, ...look }) => h('li', {}, swatch(look), texts.series[key])),
    ),
  );
  return figure;
}

/** A dot a map; of the worst pairs each is joined, from the larger weight to the larger increase. */
export function scatter(
  maps: readonly MapWeights[],
  { worst }: FalseConfidence,
  label: string,
  texts: (typeof en)['confidence'],
  figures: { readonly open: string; readonly table: HTMLElement },
  signal: AbortSignal,
): HTMLElement {
  const marked = worst.flatMap(({ larger, smaller }) => [larger, smaller]);
  const place = { x: 'gradient', y: 'increase' } as const;
  return chart(
    texts.chart(
      maps.length,
      label,
      worst.map(({ larger, smaller }) => texts.pair(larger.channel, smaller.channel)).join(' '),
    ),
    (width) => ({
      height: Math.max(320, Math.min(460, 0.6 * width)),
      grid: true,
      inset: 14,
      marginBottom: 42,
      marginLeft: 48,
      x: { label: texts.axes.weight, ticks: Math.max(3, Math.floor(width / 110)) },
      y: { label: texts.axes.increase },
      marks: [
        Plot.ruleX([0], { strokeOpacity: 0.4 }),
        Plot.ruleY([0], { strokeOpacity: 0.4 }),
        Plot.dot(maps, { ...place, stroke: 'var(--series-0)', strokeWidth: 1.5 }),
        Plot.arrow(worst, {
          x1: ({ larger }) => larger.gradient,
          y1: ({ larger }) => larger.increase,
          x2: ({ smaller }) => smaller.gradient,
          y2: ({ smaller }) => smaller.increase,
          stroke: 'var(--series-1)',
          strokeWidth: 1.5,
          inset: 6,
        }),
        Plot.dot(marked, { ...place, fill: 'var(--series-1)', r: 5 }),
        Plot.text(marked, {
          ...place,
          text: 'channel',
          dy: -12,
          fontWeight: 'bold',
          fill: 'currentColor',
          stroke: 'var(--paper)',
          strokeWidth: 3,
        }),
      ],
    }),
    figures,
    signal,
  );
}
