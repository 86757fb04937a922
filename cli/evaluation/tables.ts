/** Tables of an evaluation: Markdown, CSV, and the verdict in words. */
import type { Figures } from '../../src/evaluation/metrics';
import type { Summarised, Verdict } from './summary';

interface Column {
  readonly title: string;
  readonly key: keyof Figures;
  readonly digits: number;
}

const COLUMNS: readonly Column[] = [
  { title: 'Average Drop % ↓', key: 'averageDrop', digits: 1 },
  { title: 'Average Increase % ↑', key: 'averageIncrease', digits: 1 },
  { title: 'Drop, half muted % ↓', key: 'averageDropMuted', digits: 1 },
  { title: 'Increase, half muted % ↑', key: 'averageIncreaseMuted', digits: 1 },
  { title: 'energy in box % ↑', key: 'energy', digits: 1 },
  { title: 'energy in other box % ↓', key: 'energyElsewhere', digits: 1 },
  { title: 'relevance rank % ↑', key: 'rank', digits: 1 },
  { title: 'maximum in box % ↑', key: 'hits', digits: 1 },
  { title: 'insertion AUC ↑', key: 'insertion', digits: 3 },
  { title: 'deletion AUC ↓', key: 'deletion', digits: 3 },
  { title: 'coherency ↑', key: 'coherency', digits: 3 },
  { title: 'complexity ↓', key: 'complexity', digits: 3 },
  { title: 'ADCC ↑', key: 'adcc', digits: 3 },
  { title: 'ROAD, most first ↓', key: 'roadMost', digits: 3 },
  { title: 'ROAD, least first ↑', key: 'roadLeast', digits: 3 },
  { title: 'ROAD ↑', key: 'road', digits: 3 },
  { title: 'ARCC ↑', key: 'arcc', digits: 3 },
  { title: 'SaCo ↑', key: 'saco', digits: 3 },
  { title: 'infidelity ↓', key: 'infidelity', digits: 4 },
  { title: 'max-sensitivity ↓', key: 'sensitivity', digits: 3 },
  { title: 'sparsity', key: 'sparsity', digits: 2 },
];

const used = (methods: readonly Summarised[]): Column[] =>
  COLUMNS.filter(({ key }) => methods.some(({ summary }) => summary[key] !== undefined));

/** A row a method; figures on fewer maps than the rest say on how many. */
export function markdownTable(methods: readonly Summarised[]): string {
  const columns = used(methods);
  const most = Math.max(...methods.map(({ summary }) => summary.maps));
  const head = [
    'method',
    ...columns.map(({ title }) => title),
    'Win %',
    'like Score-CAM',
    's an image',
    'passes',
  ];
  const rest = (key: keyof Figures): string => {
    const count = Math.max(...methods.map(({ counts }) => counts[key] ?? 0));
    return count < most ? ` (${count} maps)` : '';
  };
  const lines = [
    head.map(
      (title, i) => title + (columns[i - 1] ? rest(columns[i - 1]?.key as keyof Figures) : ''),
    ),
    head.map((_, i) => (i === 0 ? '---' : '--:')),
    ...methods
      .filter(({ refused }) => refused === undefined)
      .map(({ name, summary, milliseconds, passes, win, agreement }) => [
        `\`${name}\`${summary.flat > 0 ? ` (${summary.flat} flat)` : ''}`,
        ...columns.map(({ key, digits }) => summary[key]?.toFixed(digits) ?? ''),
        win?.toFixed(1) ?? '',
        agreement?.toFixed(3) ?? '',
        milliseconds === undefined ? '' : (milliseconds / 1000).toFixed(2),
        passes
          ? [
              `${Math.round(passes.forward)} forward`,
              passes.backward > 0 ? `${Math.round(passes.backward)} backward` : '',
              passes.head > 0 ? `${Math.round(passes.head)} head only` : '',
            ]
              .filter(Boolean)
              .join(', ')
          : '',
      ]),
  ];
  const refusals = methods.flatMap(({ name, refused }) =>
    refused === undefined ? [] : [`\`${name}\` is not defined here: ${refused}`],
  );
  return [...lines.map((cells) => `| ${cells.join(' | ')} |`), '', ...refusals]
    .join('\n')
    .trimEnd();
}

const quoted = (text: string): string =>
  /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;

/**
 * A row a method, all figures in full; beside each mean its 95 % interval and the number of maps that it is of. No time is
 * among them: the same maps give the same bytes.
 */
export function csvTable(methods: readonly Summarised[]): string {
  const head = [
    'method',
    'maps',
    'flat',
    ...COLUMNS.flatMap(({ key }) => [key, `${key} from`, `${key} to`, `${key} maps`]),
    'win',
    'agreement',
  ];
  const passes = ['forward', 'backward', 'head'] as const;
  const lines = methods.map((one) =>
    [
      one.name,
      one.summary.maps,
      one.summary.flat,
      ...COLUMNS.flatMap(({ key }) => [
        one.summary[key],
        ...(one.intervals[key] ?? ['', '']),
        one.counts[key],
      ]),
      one.win,
      one.agreement,
      ...passes.map((kind) => one.passes?.[kind]),
      one.refused,
    ]
      .map((value) => quoted(String(value ?? '')))
      .join(','),
  );
  return [[...head, ...passes, 'refused'].join(','), ...lines, ''].join('\n');
}

/** How long an explanation takes by each method. */
export function csvTimes(methods: readonly Summarised[]): string {
  const lines = methods.map(({ name, milliseconds }) => `${quoted(name)},${milliseconds ?? ''}`);
  return ['method,milliseconds', ...lines, ''].join('\n');
}

/** What the comparison of two methods comes to, from the figures alone. */
export function verdictText(first: string, second: string, verdicts: readonly Verdict[]): string {
  if (verdicts.length === 0) return '';
  const words = { better: 'better', worse: 'worse', undecided: 'not told apart' } as const;
  const rows = verdicts.map(({ what, first: a, second: b, interval, maps, outcome }) => {
    const digits = Math.max(Math.abs(a), Math.abs(b)) < 2 ? 3 : 1;
    const [low, high] = interval.map((value) => value.toFixed(digits));
    return `| ${what} | ${a.toFixed(digits)} | ${b.toFixed(digits)} | ${low} to ${high} | ${maps} | ${words[outcome]} |`;
  });
  const named = (outcome: Verdict['outcome']): string =>
    verdicts.flatMap((one) => (one.outcome === outcome ? [one.what] : [])).join('; ') || 'nothing';
  return [
    `${first} against ${second}, on the same maps; the interval is the bootstrap's 95 % of the difference, ` +
      'resampling images:',
    '',
    `| figure | ${first} | ${second} | difference | maps | ${first} is |`,
    '|---|--:|--:|--:|--:|---|',
    ...rows,
    '',
    `${first} is better on: ${named('better')}.`,
    `It is worse on: ${named('worse')}.`,
    `The scenes cannot tell the two apart on: ${named('undecided')}.`,
  ].join('\n');
}
