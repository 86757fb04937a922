import { bars } from './bars';
import type { Fact } from './facts';
import { escaped, ms, number } from './format';
import { figure, paragraph, section, table } from './html';
import { DIRECT, type Material, nameColumn, rateColumns, timeColumns } from './material';

/** The same layer computed in ways that are one idea apart. */
export function ladders({ facts, draw }: Material): string {
  const rungs = facts.filter(({ measurement }) => measurement.section === 'ladder');
  const groups = [...new Set(rungs.map(({ measurement }) => measurement.group ?? ''))];
  if (groups.length === 0) return '';
  const parts = groups.flatMap((group) => {
    const own = rungs.filter(({ measurement }) => measurement.group === group);
    const gain = (fact: Fact): number | undefined => {
      const before = own[own.indexOf(fact) - 1];
      return before && before.time.median / fact.time.median;
    };
    const gainText = (fact: Fact): string => {
      const value = gain(fact);
      return value === undefined ? '' : `x ${number(value)}`;
    };
    const first = own[0] as Fact;
    const best = own.reduce((a, b) => (b.time.median < a.time.median ? b : a));
    return [
      `<h3>${escaped(group)}</h3>`,
      figure(
        `Rungs of the ladder: from ${ms(first.time.median)} ms to ${ms(best.time.median)} ms by ${best.measurement.name}, ${number(first.time.median / best.time.median)} times faster. Behind each bar: time, rate, and the gain over the rung before.`,
        bars(
          own.map((fact) => ({
            name: fact.measurement.name,
            value: fact.gflops ?? 0,
            text: [
              `${ms(fact.time.median)} ms`,
              `${number(fact.gflops)} GFLOP/s${fact.measurement.asDirect ? '*' : ''}`,
              gainText(fact),
            ]
              .filter(Boolean)
              .join(', '),
          })),
          'GFLOP/s',
          draw,
        ),
        table(
          `Rungs: ${group}`,
          [
            nameColumn,
            { head: 'idea', of: ({ measurement }) => measurement.note ?? '' },
            ...timeColumns,
            ...rateColumns,
            { head: 'gain', of: gainText, isNumber: true },
          ],
          own,
        ),
      ),
    ];
  });
  const hasDirect = rungs.some(({ measurement }) => measurement.asDirect);
  return section('The ladder', ...parts, hasDirect ? paragraph(DIRECT) : '');
}
