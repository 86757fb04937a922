import { escaped } from './format';

export interface Column<Row> {
  readonly head: string;
  readonly of: (row: Row) => string;
  /** Numbers stand at the right. */
  readonly isNumber?: boolean;
}

/** A table; its caption is what it is called by. */
export function table<Row>(
  caption: string,
  columns: readonly Column<Row>[],
  rows: readonly Row[],
): string {
  const cell = (tag: 'th' | 'td', { isNumber }: Column<Row>, text: string, scope = '') =>
    `<${tag}${scope}${isNumber ? ' class="number"' : ''}>${escaped(text)}</${tag}>`;
  const head = columns.map((column) => cell('th', column, column.head, ' scope="col"')).join('');
  const body = rows.map((row) => {
    const cells = columns.map((column, i) =>
      i === 0
        ? cell('th', column, column.of(row), ' scope="row"')
        : cell('td', column, column.of(row)),
    );
    return `<tr>${cells.join('')}</tr>`;
  });
  return (
    `<div class="wide" tabindex="0" role="region" aria-label="${escaped(caption)}"><table>` +
    `<caption>${escaped(caption)}</caption>\n<thead><tr>${head}</tr></thead>\n<tbody>\n${body.join('\n')}\n` +
    '</tbody></table></div>'
  );
}

/** A plot with what it says in words, and the table of its figures behind it. */
export function figure(what: string, plot: string, behind: string, legend = ''): string {
  return (
    `<figure>\n<div class="wide" tabindex="0" role="img" aria-label="${escaped(what)}">${plot}</div>\n${legend}` +
    `<figcaption>${escaped(what)}</figcaption>\n` +
    `<details><summary>The figures</summary>${behind}</details>\n</figure>`
  );
}

export function section(title: string, ...content: readonly string[]): string {
  return `<section>\n<h2>${escaped(title)}</h2>\n${content.join('\n')}\n</section>`;
}

export function paragraph(text: string): string {
  return `<p>${escaped(text)}</p>`;
}
