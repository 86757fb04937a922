/** Plots as SVG, on white, so that they are readable on a light and on a dark page. */
import * as Plot from '@observablehq/plot';
import type { Summarised } from './summary';
import { svg } from './svg';
import type { SanityPoint } from './types';

/** File name to SVG text. */
export function plotAll(
  methods: readonly Summarised[],
  sanity: readonly SanityPoint[],
): Record<string, string> {
  const bars = (
    key: 'averageDrop' | 'averageIncrease' | 'energy' | 'adcc',
    label: string,
  ): string => {
    const rows = methods.flatMap(({ name, summary }) =>
      summary[key] === undefined ? [] : [{ name, value: summary[key] as number }],
    );
    return svg({
      width: 720,
      height: 60 + 22 * rows.length,
      marginBottom: 40,
      marginLeft: 210,
      marginRight: 50,
      // A domain of its own: bars of nothing but zeros would have none.
      x: { label, grid: true, domain: [0, Math.max(...rows.map(({ value }) => value)) || 1] },
      y: { label: null, domain: rows.map(({ name }) => name) },
      marks: [
        Plot.barX(rows, { x: 'value', y: 'name', fill: '#4269d0' }),
        Plot.text(rows, {
          x: 'value',
          y: 'name',
          text: ({ value }: { value: number }) => value.toFixed(key === 'adcc' ? 3 : 1),
          textAnchor: 'start',
          dx: 4,
        }),
        Plot.ruleX([0]),
      ],
    });
  };
  const plots: Record<string, string> = {};
  const have = (key: 'averageDrop' | 'energy' | 'adcc' | 'insertion' | 'deletion'): boolean =>
    methods.some(({ summary }) => summary[key] !== undefined);
  if (have('averageDrop')) {
    plots['average-drop.svg'] = bars('averageDrop', 'Average Drop, % (lower is better)');
    plots['average-increase.svg'] = bars(
      'averageIncrease',
      'Average Increase, % (higher is better)',
    );
  }
  if (have('energy')) {
    plots['energy.svg'] = bars('energy', "Energy in the object's box, % (higher is better)");
    plots['time.svg'] = timeAgainstEnergy(methods);
  }
  if (have('adcc')) plots['adcc.svg'] = bars('adcc', 'ADCC (higher is better)');
  for (const key of ['insertion', 'deletion'] as const) {
    if (have(key)) plots[`${key}.svg`] = curves(methods, key);
  }
  if (sanity.length > 0) plots['sanity.svg'] = cascadePlot(sanity);
  return plots;
}

function curves(methods: readonly Summarised[], key: 'insertion' | 'deletion'): string {
  const points = methods.flatMap(({ name, curves: own }) =>
    (own[key] ?? []).map((value, i, all) => ({ name, share: (100 * i) / (all.length - 1), value })),
  );
  return svg({
    width: 720,
    height: 420,
    color: { legend: false, scheme: 'turbo' },
    marginRight: 170,
    x: { label: key === 'insertion' ? 'pixels put in, %' : 'pixels taken away, %' },
    y: { label: 'mean probability of the class', grid: true, zero: true },
    marks: [
      Plot.line(points, { x: 'share', y: 'value', stroke: 'name' }),
      ...legend(points.map(({ name }) => name)),
    ],
  });
}

/** Names at the right edge in their colours: an SVG of its own holds no HTML legend. */
function legend(names: readonly string[]): Plot.Markish[] {
  return [...new Set(names)].map((name, i) =>
    Plot.text([name], {
      frameAnchor: 'top-right',
      textAnchor: 'start',
      dx: 8,
      dy: 6 + 15 * i,
      fill: (d: string) => d,
      text: (d: string) => d,
    }),
  );
}

function timeAgainstEnergy(methods: readonly Summarised[]): string {
  const points = methods.flatMap(({ name, milliseconds, summary: { energy } }) =>
    milliseconds === undefined || energy === undefined
      ? []
      : [{ name, seconds: milliseconds / 1000, energy }],
  );
  return svg({
    width: 720,
    height: 420,
    marginRight: 180,
    x: { type: 'log', label: 'seconds an image (median)', grid: true, tickFormat: 'g' },
    y: { label: "energy in the object's box, %", grid: true },
    marks: [
      Plot.dot(points, { x: 'seconds', y: 'energy', fill: '#4269d0' }),
      Plot.text(points, { x: 'seconds', y: 'energy', text: 'name', textAnchor: 'start', dx: 6 }),
    ],
  });
}

function cascadePlot(sanity: readonly SanityPoint[]): string {
  const points = sanity.filter(({ correlation }) => correlation !== null);
  const layers = [...new Set(sanity.map(({ layer }) => layer))];
  return svg({
    width: 720,
    height: 380,
    marginBottom: 60,
    marginRight: 170,
    color: { scheme: 'turbo' },
    x: {
      type: 'point',
      domain: layers,
      label: 'drawn anew from the logits down to',
      tickRotate: -45,
    },
    y: { label: "Spearman's correlation with the map of the trained network", grid: true },
    marks: [
      Plot.ruleY([0]),
      Plot.line(points, { x: 'layer', y: 'correlation', stroke: 'method', marker: true }),
      ...legend(points.map(({ method }) => method)),
    ],
  });
}
