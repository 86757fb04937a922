import { h } from '../dom';

interface GalleryOptions<Item> {
  readonly label: string;
  readonly items: readonly Item[];
  readonly nameOf: (item: Item) => string;
  readonly draw: (item: Item, onto: HTMLCanvasElement) => void;
  /** Hears of the visitor's choice. */
  readonly onChoose: (item: Item) => void;
}

export interface Gallery<Item> {
  readonly element: HTMLElement;
  /** Puts them into an order, each with a figure below it. */
  order(items: readonly Item[], figureOf: (item: Item) => string): void;
  choose(item: Item): void;
}

/**
 * Pictures of which one is chosen: a list box (WAI-ARIA), so that it is one stop of the Tab key, and arrows, Home and End
 * go through it.
 */
export function gallery<Item>(options: GalleryOptions<Item>): Gallery<Item> {
  const { label, items, nameOf, draw, onChoose } = options;
  const list = h('div', { role: 'listbox', 'aria-label': label, class: 'gallery' });
  const cells = new Map<Item, { readonly cell: HTMLElement; readonly figure: HTMLElement }>();
  let ordered: readonly Item[] = items;
  let chosen: Item | undefined;
  const choose = (item: Item): void => {
    if (chosen !== undefined) mark(chosen, false);
    chosen = item;
    mark(item, true);
  };
  const take = (item: Item): void => {
    choose(item);
    cells.get(item)?.cell.focus();
    onChoose(item);
  };
  const mark = (item: Item, isChosen: boolean): void => {
    const cell = cells.get(item)?.cell;
    cell?.setAttribute('aria-selected', String(isChosen));
    cell?.setAttribute('tabindex', isChosen ? '0' : '-1');
  };
  for (const item of items) {
    const picture = h('canvas', { 'aria-hidden': 'true', class: 'pixels' });
    draw(item, picture);
    const figure = h('span', {});
    const cell = h(
      'div',
      { role: 'option', 'aria-selected': 'false', tabindex: -1, onclick: () => take(item) },
      picture,
      h('span', { class: 'name' }, nameOf(item)),
      figure,
    );
    cells.set(item, { cell, figure });
  }
  list.addEventListener('keydown', (event) => {
    const at = chosen === undefined ? 0 : ordered.indexOf(chosen);
    const columns = getComputedStyle(list).gridTemplateColumns.split(' ').length;
    const steps: Readonly<Record<string, number>> = {
      ArrowLeft: at - 1,
      ArrowRight: at + 1,
      ArrowUp: at - columns,
      ArrowDown: at + columns,
      Home: 0,
      End: ordered.length - 1,
    };
    const item = ordered[steps[event.key] ?? -1];
    if (!(event.key in steps)) return;
    event.preventDefault();
    if (item !== undefined) take(item);
  });
  return {
    element: list,
    order(sorted, figureOf) {
      ordered = sorted;
      for (const item of sorted) {
        const { figure } = cells.get(item) as { figure: HTMLElement };
        figure.textContent = figureOf(item);
      }
      list.replaceChildren(...sorted.map((item) => cells.get(item)?.cell as HTMLElement));
    },
    choose,
  };
}
