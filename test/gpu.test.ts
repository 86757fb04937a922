import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { GpuCase } from './harness/case';
import type { Implementation } from './harness/implementation';
import { implementations } from './harness/implementations';

/*
 * Every case of test/gpu/*.gpu.ts, in the implementation of the vitest project that runs this file (vitest.config.ts).
 * One of them: npx vitest run --project chrome -t 'conv on Chrome registers, f32'
 * Elsewhere: SCORE_CAM_EVERYWHERE=1 npx vitest run --project firefox -t 'conv on Firefox registers, f32'
 */

/** A guard against hanging, as in vitest.config.ts. */
const SLOW_TIMEOUT = 4 * 3600_000;

const suites = import.meta.glob<readonly GpuCase[]>('./gpu/*.gpu.ts', {
  eager: true,
  import: 'cases',
});
const here = inject('implementation');
const { title, open } = implementations[here];
const wantsSlow = process.env.SCORE_CAM_SLOW === '1';
const shared = inject('sharedFolder');
const baseUrl = inject('baseUrl');
const sharedUrl = shared ? `${baseUrl}/@fs${shared}/` : '';

let opened: Implementation | string;

beforeAll(async () => {
  opened = await open();
  if (typeof opened === 'string') console.log(`The cases on ${title} skip: ${opened}.`);
});

afterAll(async () => {
  if (typeof opened === 'object') await opened.close();
});

/** Why a case cannot run here; undefined if it can. */
function obstacle({ needsShared, slow, needs = [] }: GpuCase): string | undefined {
  if (typeof opened === 'string') return opened;
  if (needsShared && !sharedUrl) return 'the reference data is absent';
  if (slow && !wantsSlow) return `${slow}: SCORE_CAM_SLOW=1 runs it`;
  const { has } = opened;
  const missing = needs.filter((need) => !has.has(need));
  return missing.length > 0 ? `${title} has no ${missing.join(', ')}` : undefined;
}

for (const [path, cases] of Object.entries(suites)) {
  const suite = path.slice('./gpu/'.length, -'.gpu.ts'.length);
  const own = cases.filter(
    ({ usually = ['chrome'] }) => inject('everywhere') || usually.includes(here),
  );
  if (own.length === 0) continue;
  describe.concurrent(`${suite} on ${title}`, () => {
    for (const one of own) {
      const options = one.slow ? { timeout: SLOW_TIMEOUT } : {};
      it(one.name, options, async ({ annotate, skip }) => {
        const reason = obstacle(one);
        if (reason !== undefined || typeof opened === 'string') return skip(reason);
        const { ok, message } = await opened.run(suite, one.name, { baseUrl, sharedUrl });
        expect(message, message).toSatisfy(() => ok);
        if (message) await annotate(message);
        if (message && one.slow) console.log(`${one.name}: ${message}`);
      });
    }
  });
}
