import { spreadOf } from '../measure/statistics';
import type { PeerResult } from '../measure/types';
import { contenderName } from '../peers/contender-name';
import { bars } from './bars';
import { ms, number } from './format';
import { figure, paragraph, section, table } from './html';
import type { Material } from './material';

/** Other libraries on the same task. */
export function peerPart({ file: { peers }, draw }: Material): string {
  const all = peers?.results ?? peers?.contenders ?? [];
  if (all.length === 0) return '';
  const timed = all.filter(({ runs }) => runs.length > 0);
  const columns = [
    { head: 'library', of: contenderName },
    ...(['median', 'min', 'max'] as const).map((key, i) => ({
      head: ['median, ms', 'fastest', 'slowest'][i] as string,
      of: ({ runs }: PeerResult) => (runs.length > 0 ? ms(spreadOf(runs)[key]) : ''),
      isNumber: true,
    })),
    {
      head: 'differs by',
      of: ({ relativeDifference }: PeerResult) =>
        relativeDifference === null
          ? ''
          : relativeDifference === 0
            ? '0'
            : relativeDifference.toExponential(1),
      isNumber: true,
    },
    { head: 'note', of: ({ note, error }: PeerResult) => [error, note].filter(Boolean).join('; ') },
  ];
  const behind = table('Libraries', columns, all);
  const words = paragraph(
    'One forward pass of VGG-16 with the same weights by each library, from the normalised image to the logits in memory.',
  );
  if (timed.length === 0) return section('Beside other libraries', words, behind);
  const medians = timed.map((peer) => ({ peer, spread: spreadOf(peer.runs) }));
  const best = medians.reduce((a, b) => (b.spread.median < a.spread.median ? b : a));
  const worst = medians.reduce((a, b) => (b.spread.median > a.spread.median ? b : a));
  return section(
    'Beside other libraries',
    words,
    figure(
      `The fastest is ${contenderName(best.peer)} with ${ms(best.spread.median)} ms; ${contenderName(worst.peer)} takes ${number(worst.spread.median / best.spread.median)} times as long.`,
      bars(
        medians.map(({ peer, spread }) => ({
          name: contenderName(peer),
          value: spread.median,
          min: spread.min,
          max: spread.max,
          text: `${ms(spread.median)} ms`,
          ...(peer.name === 'score-cam-webgpu' ? {} : { colour: 'var(--other)' }),
        })),
        'milliseconds',
        draw,
      ),
      behind,
    ),
  );
}
