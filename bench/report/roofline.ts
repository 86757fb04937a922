import * as Plot from '@observablehq/plot';
import type { Peak } from '../measure/types';
import type { Draw } from './draw';
import type { Fact } from './facts';
import { number } from './format';
import { placeLabels } from './labels';

const WIDTH = 960;
const HEIGHT = 620;
const MARGIN = { left: 60, right: 16, top: 24, bottom: 44 } as const;

export interface Dot {
  readonly name: string;
  readonly group: string;
  readonly intensity: number;
  readonly gflops: number;
}

/** Kernels that compute something, as dots under the roof. */
export function dotsOf(facts: readonly Fact[]): Dot[] {
  return facts.flatMap(({ measurement: { name, group = '' }, intensity, gflops }) =>
    intensity && gflops ? [{ name, group, intensity, gflops }] : [],
  );
}

/** Log-log: operations a byte against operations a second; the roof is what the adapter can do. */
export function roofline<Drawn>(dots: readonly Dot[], roof: Peak, draw: Draw<Drawn>): Drawn {
  const ridge = roof.gflops / roof.gbps;
  const [left, right] = reach([...dots.map(({ intensity }) => intensity), ridge], 1.5);
  const [bottom, top] = reach([...dots.map(({ gflops }) => gflops), roof.gflops], 1.4);
  const x = log([left, right], [MARGIN.left, WIDTH - MARGIN.right]);
  const y = log([bottom, top], [HEIGHT - MARGIN.bottom, MARGIN.top]);
  const slopeAt = ridge / 2.2;
  const roofLabels = [
    { at: right, gflops: roof.gflops, text: `${number(roof.gflops)} GFLOP/s` },
    { at: slopeAt, gflops: slopeAt * roof.gbps, text: `${number(roof.gbps)} GB/s` },
  ];
  const labels = placeLabels(
    dots.map(({ name, intensity, gflops }) => ({
      x: x.to(intensity) - MARGIN.left,
      y: y.to(gflops) - MARGIN.top,
      text: name,
    })),
    {
      width: WIDTH - MARGIN.left - MARGIN.right,
      height: HEIGHT - MARGIN.top - MARGIN.bottom,
      fontSize: 11,
      dot: 4,
    },
    roofLabels.map(({ at, gflops }) => {
      const [edge, middle] = [x.to(at) - MARGIN.left, y.to(gflops) - MARGIN.top];
      return { left: edge - 110, right: edge, top: middle - 18, bottom: middle + 2 };
    }),
  ).map((label) => ({
    ...label,
    dotX: x.from(label.x + MARGIN.left),
    dotY: y.from(label.y + MARGIN.top),
    textX: x.from(label.edge + MARGIN.left),
    textY: y.from(label.middle + MARGIN.top),
  }));
  const edge = [
    { x: left, y: left * roof.gbps },
    { x: ridge, y: roof.gflops },
    { x: right, y: roof.gflops },
  ].filter((point) => point.y >= bottom / 10);
  return draw({
    width: WIDTH,
    height: HEIGHT,
    marginLeft: MARGIN.left,
    marginRight: MARGIN.right,
    marginTop: MARGIN.top,
    marginBottom: MARGIN.bottom,
    clip: true,
    x: {
      type: 'log',
      domain: [left, right],
      label: 'arithmetic intensity, FLOP a byte',
      grid: true,
      tickFormat: tick,
    },
    y: { type: 'log', domain: [bottom, top], label: 'GFLOP/s', grid: true, tickFormat: tick },
    marks: [
      Plot.line(edge, { x: 'x', y: 'y', stroke: 'var(--roof)', strokeWidth: 2 }),
      Plot.text(roofLabels, {
        x: 'at',
        y: 'gflops',
        text: 'text',
        textAnchor: 'end',
        dy: -9,
        dx: -4,
        fill: 'var(--roof)',
        fontWeight: 'bold',
      }),
      Plot.link(
        labels.filter(({ far }) => far),
        {
          x1: 'dotX',
          y1: 'dotY',
          x2: 'textX',
          y2: 'textY',
          stroke: 'currentColor',
          strokeOpacity: 0.35,
        },
      ),
      Plot.dot(dots, {
        x: 'intensity',
        y: 'gflops',
        r: 4,
        fill: ({ group }: Dot) => colourOf(group),
        title: ({ name, intensity, gflops }: Dot) =>
          `${name}: ${number(gflops)} GFLOP/s at ${number(intensity)} FLOP a byte`,
      }),
      ...(['start', 'end'] as const).map((anchor) =>
        Plot.text(
          labels.filter((label) => label.anchor === anchor),
          {
            x: 'textX',
            y: 'textY',
            text: 'text',
            textAnchor: anchor,
            fontSize: 11,
            fill: 'currentColor',
            stroke: 'var(--card)',
            strokeWidth: 3,
          },
        ),
      ),
    ],
  });
}

/** A colour of the style sheet for each group of kernels. */
const GROUPS = [
  'convolution 3x3',
  'Winograd F(4x4, 3x3)',
  'fully connected',
  'pooling',
  'masks and maps',
  'backward',
] as const;

export function colourOf(group: string): string {
  const at = GROUPS.indexOf(group as (typeof GROUPS)[number]);
  return `var(--group-${at < 0 ? 'other' : at})`;
}

/** Groups among the dots, in the order of their colours. */
export function groupsOf(dots: readonly Dot[]): string[] {
  const there = new Set(dots.map(({ group }) => group));
  return [...GROUPS.filter((group) => there.delete(group)), ...there];
}

const tick = (value: number): string =>
  value >= 1000 ? `${value / 1000}k` : String(Number(value.toPrecision(3)));

function reach(values: readonly number[], factor: number): [number, number] {
  return [Math.min(...values) / factor, Math.max(...values) * factor];
}

/** A logarithmic scale, as Plot makes it, for placing labels in pixels. */
function log([a, b]: readonly [number, number], [from, to]: readonly [number, number]) {
  const ratio = Math.log(b / a);
  return {
    to: (value: number): number => from + ((to - from) * Math.log(value / a)) / ratio,
    from: (pixel: number): number => a * Math.exp((ratio * (pixel - from)) / (to - from)),
  };
}
