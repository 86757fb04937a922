import { h } from '../dom';

export interface Column<Row> {
  readonly head: string;
  readonly of: (row: Row) => string;
  /** Numbers stand at the right. */
  readonly isNumber?: boolean;
  /** Of what stays in one language. */
  readonly lang?: string;
}

/** A table that scrolls sideways where it is too wide; the first column says what a row is of. */
export function table<Row>(
  caption: string,
  columns: readonly Column<Row>[],
  rows: readonly Row[],
): HTMLElement {
  const numeric = ({ isNumber, lang }: Column<Row>) => ({
    class: isNumber ? 'number' : undefined,
    lang,
  });
  return h(
    'div',
    // It scrolls by the arrow keys, too.
    { class: 'wide', tabindex: 0, role: 'region', 'aria-label': caption },
    h(
      'table',
      {},
      h('caption', {}, caption),
      h(
        'thead',
        {},
        h(
          'tr',
          {},
          ...columns.map((column) =>
            h('th', { scope: 'col', ...numeric(column), lang: undefined }, column.head),
          ),
        ),
      ),
      h(
        'tbody',
        {},
        ...rows.map((row) =>
          h(
            'tr',
            {},
            ...columns.map((column, i) =>
              i === 0
                ? h('th', { scope: 'row', ...numeric(column) }, column.of(row))
                : h('td', numeric(column), column.of(row)),
            ),
          ),
        ),
      ),
    ),
  );
}
