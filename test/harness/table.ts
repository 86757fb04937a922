import { readSampleNote } from './sample-note';

/** What became of one case. */
export interface CaseOutcome {
  readonly suite: string;
  readonly state: 'passed' | 'failed' | 'skipped' | 'pending';
  /** Why it was skipped. */
  readonly reason: string;
  /** What it had to say. */
  readonly note: string;
  readonly ms: number;
}

/** Cases by the implementation that ran them, under its title. */
export type Outcomes = ReadonlyMap<string, readonly CaseOutcome[]>;

/** Implementations by suites as Markdown: of each how many passed, failed and were skipped, and why. */
export function tableOf(outcomes: Outcomes): string {
  const titles = [...outcomes.keys()];
  const suites = new Set([...outcomes.values()].flat().map(({ suite }) => suite));
  const row = (...cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const perTitle = (cell: (own: readonly CaseOutcome[]) => string): string[] =>
    [...outcomes.values()].map(cell);
  const counts = (own: readonly CaseOutcome[]): string => {
    const of = (state: CaseOutcome['state']) => own.filter((one) => one.state === state).length;
    const others = (['failed', 'skipped'] as const).filter((state) => of(state) > 0);
    return [`${of('passed')}`, ...others.map((state) => `${of(state)} ${state}`)].join(', ');
  };
  return [
    row('', ...titles),
    `|---|${titles.map(() => '---:|').join('')}`,
    ...[...suites]
      .sort()
      .map((suite) =>
        row(suite, ...perTitle((own) => counts(own.filter((one) => one.suite === suite)))),
      ),
    row('**all**', ...perTitle((own) => `**${counts(own)}**`)),
    row("the sample's map against f64", ...perTitle((own) => sampleOf(own)?.error ?? '-')),
    row('an explanation of it', ...perTitle((own) => sampleOf(own)?.time ?? '-')),
    row(
      'minutes',
      ...perTitle((own) => (own.reduce((sum, { ms }) => sum + ms, 0) / 60_000).toFixed(1)),
    ),
    '',
    ...titles.map(
      (title) => `- ${title}: ${sampleOf(outcomes.get(title) ?? [])?.by ?? 'not known'}.`,
    ),
    '',
    ...titles.flatMap((title) => reasonsOf(title, outcomes.get(title) ?? [])),
  ].join('\n');
}

/** What the case of the embedded model found. */
const sampleOf = (own: readonly CaseOutcome[]) =>
  own.flatMap(({ note }) => readSampleNote(note) ?? [])[0];

/** Reasons of skipping, those of most cases first. */
function reasonsOf(title: string, own: readonly CaseOutcome[]): string[] {
  const counted = new Map<string, number>();
  for (const { state, reason } of own) {
    if (state === 'skipped') counted.set(reason, (counted.get(reason) ?? 0) + 1);
  }
  return [...counted]
    .sort(([, a], [, b]) => b - a)
    .map(([reason, count]) => `- Skipped in ${title}, ${count}: ${reason}.`);
}
