import { chart, Plot } from './chart';

export interface Bar {
  readonly name: string;
  readonly value: number;
  /** Written above it, behind its name. */
  readonly text: string;
}

/** Bars from the left, each under its name and what is to be said of it, so that long names have room on a phone too. */
export function bars(
  says: string,
  items: readonly Bar[],
  label: string,
  figures: { readonly open: string; readonly table: HTMLElement },
  signal: AbortSignal,
): HTMLElement {
  const names = items.map(({ name }) => name);
  return chart(
    says,
    () => ({
      height: 50 + 38 * items.length,
      // Half of the first tick's figure.
      marginLeft: 6,
      marginRight: 12,
      marginBottom: 36,
      x: { label, grid: true, domain: [0, Math.max(...items.map(({ value }) => value)) || 1] },
      y: { axis: null, domain: names, padding: 0 },
      marks: [
        Plot.barX(items, {
          x: 'value',
          y: 'name',
          fill: 'var(--series-0)',
          insetTop: 18,
          insetBottom: 4,
        }),
        Plot.text(items, {
          x: 0,
          y: 'name',
          text: ({ name, text }: Bar) => `${name}: ${text}`,
          textAnchor: 'start',
          lineAnchor: 'top',
          dy: -18,
          dx: 2,
          fill: 'currentColor',
        }),
        Plot.ruleX([0]),
      ],
    }),
    figures,
    signal,
  );
}
