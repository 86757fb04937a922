/** `npm run bench -- --networks`, of its smallest network: contenders side by side in Chrome, as far as they are installed. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { disagreements } from '../bench/peers/compare';
import { Entrant } from '../bench/peers/entrant';
import { NETWORKS, seededModel } from '../bench/peers/models';
import { CONTENDERS } from '../bench/peers/types';
import { launchChrome } from '../cli/hosts/chrome';
import { openServed } from '../cli/served';
import { projectRoot } from '../cli/server';
import { networkOf } from '../src/model/network-of';

const contenders = CONTENDERS.filter(
  ({ package: name, backend }) =>
    backend === 'webgpu' &&
    (name === undefined || existsSync(join(projectRoot, 'bench/node_modules', name))),
);
const missing =
  contenders.length < 3 ? ' (without peers: "npm run bench -- --peers" installs them)' : '';

describe('networks that are compared', () => {
  it.each(NETWORKS)('%s has generated weights and ends in 1000 classes', async (name) => {
    const manifest = seededModel(name);
    const { layers } = await networkOf(manifest);
    expect(manifest).toMatchObject({ name, weights: { format: 'seeded', seed: 1 } });
    expect(layers.at(-1)?.output.channels).toBe(1000);
  });

  it.each(['mobilenet-v1-025', 'lenet-seeded-1'])('there is no "%s"', (name) => {
    expect(() => seededModel(name)).toThrow(`"${name}"`);
  });

  // Peers take seconds a pass on a software adapter.
  it.runIf(process.env.SCORE_CAM_SLOW === '1')(
    `give the same logits by all, and the times of our steps${missing}`,
    async () => {
      const [name] = NETWORKS;
      const {
        url,
        launched: browser,
        close,
      } = await openServed(launchChrome, [], { isolated: true });
      try {
        const heard: string[] = [];
        const place = { browser, url, onStep: (what: string) => void heard.push(what) };
        const entrants = contenders.map((contender) => new Entrant(contender, name, place));
        for (const entrant of entrants) {
          await entrant.prepare();
          await entrant.run(1, 1);
        }
        const [own] = entrants as [Entrant, ...Entrant[]];
        const results = entrants.map((entrant) => entrant.result(own.logits));
        expect(results.map(({ error }) => error)).toEqual(results.map(() => undefined));
        expect(results.map(({ runs }) => runs.length)).toEqual(results.map(() => 1));
        const facts = { browser: '', model: name, batch: 1, dtype: 'f32', flop: 1 } as const;
        expect(disagreements({ ...facts, tolerance: 1e-4, contenders: results })).toEqual([]);
        expect(Math.max(...own.logits)).toBeGreaterThan(Math.min(...own.logits));
        expect(heard).toContain(`score-cam-webgpu (webgpu), ${name}: run 1 of 1`);

        const steps = await own.profile(1);
        const { layers } = await networkOf(seededModel(name));
        expect(steps.map((step) => step.name)).toEqual(layers.map((layer) => layer.name));
        expect(steps.every(({ runs: [ms = 0] }) => ms > 0)).toBe(true);
      } finally {
        await close();
      }
    },
  );
});
