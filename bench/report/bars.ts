import * as Plot from '@observablehq/plot';
import type { Draw } from './draw';

export interface Bar {
  readonly name: string;
  readonly value: number;
  /** Written at its end. */
  readonly text: string;
  readonly colour?: string;
  /** Smallest and largest run. */
  readonly min?: number;
  readonly max?: number;
}

/** Bars from the left, their names before and their values behind them. */
export function bars(items: readonly Bar[], label: string, draw: Draw): string {
  const longest = Math.max(...items.map(({ name }) => name.length));
  const most = Math.max(...items.map(({ value, max }) => Math.max(value, max ?? 0))) || 1;
  return draw({
    width: 720,
    height: 56 + 24 * items.length,
    marginTop: 10,
    marginBottom: 40,
    marginLeft: Math.min(380, 20 + 6.8 * longest),
    marginRight: 20 + 6.4 * Math.max(...items.map(({ text }) => text.length)),
    x: { label, grid: true, domain: [0, most] },
    y: { label: null, domain: items.map(({ name }) => name), tickSize: 0 },
    marks: [
      Plot.barX(items, {
        x: 'value',
        y: 'name',
        fill: ({ colour }: Bar) => colour ?? 'var(--bar)',
        insetTop: 2,
        insetBottom: 2,
      }),
      Plot.ruleY(
        items.filter(({ min }) => min !== undefined),
        { x1: 'min', x2: 'max', y: 'name', stroke: 'currentColor', strokeOpacity: 0.6 },
      ),
      Plot.text(items, {
        x: ({ value, max }: Bar) => Math.max(value, max ?? 0),
        y: 'name',
        text: 'text',
        textAnchor: 'start',
        dx: 6,
        fill: 'currentColor',
      }),
      Plot.ruleX([0], { stroke: 'currentColor' }),
    ],
  });
}
