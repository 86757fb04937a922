/** What an explanation found, for people. */
import { adapterName } from '../../src/gpu/facts';
import { percent, printable } from '../words';
import type { FileKind } from './file-kinds';
import type { ListedMethod, Summary } from './summary';

/**
 * @param out the folder that the files were written to
 * @param wanted kinds of files asked for
 */
export function describe(summary: Summary, out: string, wanted: readonly FileKind[]): string {
  const { adapter, classes, top, methods, files } = summary;
  const lacksComparison =
    methods.length > 1 && wanted.includes('comparison') && !files.includes('comparison.png');
  const lines = classes.map(({ class: { index, label, probability } }, i) => {
    const flat = methods.flatMap(({ method, classes: own }) => (own[i]?.map.flat ? [method] : []));
    const whose = methods.length > 1 ? `its map by ${flat.join(', ')} is` : 'its map is';
    const note =
      flat.length > 0 ? `; ${whose} FLAT: no place counts more than another, nothing to see` : '';
    return `${printable(label)} (class ${index}): probability ${percent(probability)}${note}`;
  });
  const others = top.filter(({ index }) => !classes.some((one) => one.class.index === index));
  if (others.length > 0) {
    const listed = others.map(
      ({ label, probability }) => `${printable(label)} ${percent(probability)}`,
    );
    lines.push(`Likely, too: ${listed.join(', ')}`);
  }
  if (lacksComparison) {
    lines.push(`No comparison.png: ${summary.runtime} has no canvas to draw it on.`);
  }
  lines.push(
    ...methods.map(describeMethod),
    `Adapter: ${adapterName(adapter)}, in ${summary.runtime}`,
    `Wrote to ${out}: ${files.join(', ')}`,
  );
  return lines.join('\n');
}

function describeMethod({ method, channels, passes, timings, ...facts }: ListedMethod): string {
  const layer = printable(facts.layer);
  const seconds = `${(timings.total / 1000).toFixed(1)} s`;
  if (method === 'score-cam') {
    return (
      `${channels.evaluated} of ${channels.total} channels of ${layer} evaluated, ` +
      `${channels.constant} constant and skipped; ${seconds}`
    );
  }
  const run = Object.entries(passes).map(([kind, count]) => `${kind} ${count}`);
  return `${method}${layer ? ` of ${layer}` : ''}: passes ${run.join(', ')}; ${seconds}`;
}
