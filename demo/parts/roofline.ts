import type { Peak } from '../../bench/measure/types';
import type { Fact } from '../../bench/report/facts';
import { colourOf, dotsOf, groupsOf, roofline as plot } from '../../bench/report/roofline';
import { h } from '../dom';
import { svg } from './chart';

/** The bench's roofline, which scrolls sideways where it is too wide: its labels are placed for one size. */
export function roofline(
  says: string,
  facts: readonly Fact[],
  roof: Peak,
  figures: { readonly open: string; readonly table: HTMLElement },
): HTMLElement {
  const dots = dotsOf(facts);
  const legend = groupsOf(dots).map((group) => {
    const mark = h('i', { 'aria-hidden': 'true' });
    mark.style.background = colourOf(group);
    return h('li', { lang: 'en' }, mark, group);
  });
  return h(
    'figure',
    {},
    h(
      'div',
      { class: 'wide roofline', tabindex: 0, role: 'img', 'aria-label': says },
      plot(dots, roof, svg),
    ),
    h('ul', { class: 'legend-dots' }, ...legend),
    h('figcaption', {}, says),
    h('details', {}, h('summary', {}, figures.open), figures.table),
  );
}
