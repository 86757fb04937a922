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
    (own[key] ?? []).map((value, i, all) => ({ name, x: (100 * i) / (all.length - 1), y: value })),
  );
  return svg({
    width: 760,
    height: 420,
    marginBottom: 40,
    marginRight: 220,
    x: { label: key === 'insertion' ? 'pixels put in, %' : 'pixels taken away, %' },
    y: { label: 'mean probability of the class', grid: true, zero: true },
    marks: namedLines(points),
  });
}

interface NamedPoint {
  readonly name: string;
  readonly x: number | string;
  readonly y: number;
}

/** Observable's ten colours, of which the palest is darkened; from the eleventh line on again, dashed. */
const COLOURS = [
  ...['#4269d0', '#c98a00', '#ff725c', '#2f9e8f', '#3ca951'],
  ...['#e0559a', '#a463f2', '#6aa9dd', '#9c6b4e', '#7d7d86'],
];
const DASHED = '5 3';

/** A line for each name, and the names at the right edge in their colours: an SVG of its own holds no HTML legend. */
function namedLines(points: readonly NamedPoint[], marker = false): Plot.Markish[] {
  const names = [...new Set(points.map(({ name }) => name))];
  return names.flatMap((name, i): Plot.Markish[] => {
    const stroke = COLOURS[i % COLOURS.length] as string;
    const dashed = i >= COLOURS.length;
    const own = points.filter((point) => point.name === name);
    const dash = dashed ? { strokeDasharray: DASHED } : {};
    return [
      Plot.line(own, { x: 'x', y: 'y', stroke, marker, ...dash }),
      Plot.text([dashed ? `${name} - -` : name], {
        frameAnchor: 'top-right',
        textAnchor: 'start',
        dx: 8,
        dy: 6 + 15 * i,
        fill: stroke,
      }),
    ];
  });
}

function timeAgainstEnergy(methods: readonly Summarised[]): string {
  const points = methods.flatMap(({ name, milliseconds, summary: { energy } }) =>
    milliseconds === undefined || energy === undefined
      ? []
      : [{ name, seconds: milliseconds / 1000, energy }],
  );
  return svg({
    width: 760,
    height: 480,
    marginBottom: 40,
    marginRight: 200,
    inset: 12,
    x: { type: 'log', label: 'seconds an image (median)', grid: true, tickFormat: 'g' },
    y: { label: "energy in the object's box, %", grid: true },
    marks: [
      Plot.dot(points, { x: 'seconds', y: 'energy', fill: '#4269d0' }),
      Plot.text(points, { x: 'seconds', y: 'energy', text: 'name', textAnchor: 'start', dx: 6 }),
    ],
  });
}

function cascadePlot(sanity: readonly SanityPoint[]): string {
  const points = sanity.flatMap(({ method: name, layer: x, correlation: y }) =>
    y === null ? [] : [{ name, x, y }],
  );
  const layers = [...new Set(sanity.map(({ layer }) => layer))];
  return svg({
    width: 760,
    height: 400,
    marginBottom: 80,
    marginRight: 220,
    x: {
      type: 'point',
      domain: layers,
      label: 'drawn anew from the logits down to',
      tickRotate: -45,
    },
    y: { label: "Spearman's correlation with the map of the trained network", grid: true },
    marks: [Plot.ruleY([0]), ...namedLines(points, true)],
  });
}
