import type { LayerShare, Measurement } from '../measure/types';
import { bars } from './bars';
import { ms, number, percent } from './format';
import { figure, paragraph, section, table } from './html';
import { type Material, nameColumn, timeColumns } from './material';

const explanationOf = ({ name }: Measurement): string => name.replace('full explanation, ', '');

/** What exact skipping leaves of the work, and what that saves. */
export function skippingPart({ file: { skipping }, facts, draw }: Material): string {
  // Older files have a third, with indirect dispatches, which are no more.
  const runs = facts
    .filter(
      ({ measurement: { section: part, name, clock } }) =>
        part === 'whole' && name.startsWith('full explanation') && clock === 'wall clock',
    )
    .slice(0, 2);
  const [usual, dense] = runs;
  if (!usual || !dense) return '';
  const { group, batch } = usual.measurement;
  const comparison = bars(
    runs.map(({ measurement, time }) => ({
      name: explanationOf(measurement),
      value: time.median,
      min: time.min,
      max: time.max,
      text: `${ms(time.median)} ms`,
    })),
    'milliseconds',
    draw,
  );
  const factor = dense.time.median / usual.time.median;
  const applied = skipping?.applied;
  const how =
    applied === false
      ? 'The library skips nothing here: masks reach too much, or this adapter computes by tiles that cannot be listed.'
      : 'Tiles that a mask does not reach are taken from one pass of the image of zeros; the logits are the same bit for bit.';
  const parts = [
    paragraph(`A full explanation by ${group}, ${batch} passes, as somebody waits for it. ${how}`),
    figure(
      `With skipping ${ms(usual.time.median)} ms, without ${ms(dense.time.median)} ms: ${number(factor)} times as long.`,
      comparison,
      table('Full explanations', [nameColumn, ...timeColumns], runs),
    ),
  ];
  if (skipping) {
    parts.push(
      figure(
        `Share of each layer's multiply-adds that masks reach; of all layers together ${percent(skipping.reached)}. The rest can be skipped.`,
        bars(
          skipping.layers.map(({ layer, reached }) => ({
            name: layer,
            value: 100 * reached,
            text: percent(reached),
          })),
          '% of the multiply-adds reached',
          draw,
        ),
        table<LayerShare>(
          'Reached by masks',
          [
            { head: 'layer', of: ({ layer }) => layer },
            { head: 'reached', of: ({ reached }) => percent(reached), isNumber: true },
            { head: 'skipped', of: ({ reached }) => percent(1 - reached), isNumber: true },
          ],
          skipping.layers,
        ),
      ),
    );
  }
  return section('Exact skipping', ...parts);
}
