/** What options may be, and what is said of those that may not; no GPU is asked for anything. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { METHOD_OPTIONS, parseOption, spelling } from '../cli/options';
import { projectRoot } from '../cli/server';
import { checked, fits } from '../src/explain/check';
import { choose } from '../src/explain/methods/choose';
import { OPTIONS } from '../src/explain/methods/options';
import { METHODS, takers } from '../src/explain/methods/registry';
import { EXPLAIN, EXPLAINER } from '../src/explain/option-rules';
import { progressMeter, tell } from '../src/explain/progress';
import { allowed, shown } from '../src/explain/refusals';
import type { Rule } from '../src/explain/rules';
import { createExplainer, type ExplainerOptions, type ExplainOptions } from '../src/index';
import { smallModel } from './harness/small-model';

const { network } = smallModel();

/** Whatever a page may hand over instead of an option. */
const ODDITIES: readonly unknown[] = [
  null,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  -1,
  0,
  0.5,
  1e300,
  10n,
  '',
  'nonsense',
  '__proto__',
  true,
  false,
  Symbol('s'),
  [],
  [null],
  Array(3),
  [[]],
  {},
  Object.create(null),
  { toString: null, valueOf: null },
  new Set([1]),
  new Map(),
  new Date(Number.NaN),
  () => 1,
  Promise.resolve(1),
  new Proxy({}, {}),
  new Uint8Array(3),
];

const refusalOf = async (work: () => Promise<unknown>): Promise<Error> =>
  work().then(
    () => new Error('not refused'),
    (error: Error) => error,
  );

const explained = async (options: unknown) => {
  const own = await checked<ExplainOptions>(EXPLAIN, options as ExplainOptions);
  return choose(own, network);
};

describe('options of an explanation', () => {
  it.each(Object.keys(EXPLAIN))(
    '%s: anything is taken or refused by a ScoreCamError',
    async (name) => {
      let refused = 0;
      for (const value of ODDITIES) {
        const takes = name in OPTIONS ? takers(name as keyof typeof OPTIONS)[0] : undefined;
        try {
          await explained({ ...(takes ? { method: takes } : {}), [name]: value });
          expect(fits(EXPLAIN[name as keyof ExplainOptions], value)).toBe(true);
        } catch (error) {
          expect(error).toMatchObject({ name: 'ScoreCamError', code: 'option' });
          expect((error as Error).message.length).toBeLessThan(500);
          refused++;
        }
      }
      expect(refused).toBeGreaterThan(ODDITIES.length / 2);
    },
  );

  it.each([
    [null, 'The object of options is null, must be an object.'],
    [5, 'The object of options is 5'],
    ['grad-cam', 'The object of options is "grad-cam"'],
    [{ layer: 5 }, 'layer is 5, must be the name of a layer, or an array of names.'],
    [{ class: [] }, 'class is an array of 0, must be "auto", an index or a label.'],
    [{ channels: new Set() }, 'channels is of the kind Set, must be an array of channel numbers.'],
    [{ channels: Array(2) }, 'channels is an array of 2'],
    [{ chanels: [0] }, 'There is no option "chanels": did you mean "channels"?'],
    [{ onprogress() {} }, 'did you mean "onProgress"?'],
    [{ colour: 'red' }, 'There is no option "colour"'],
    [{ constructor: 1 }, 'There is no option "constructor"'],
    [JSON.parse('{"__proto__": 1}'), 'There is no option "__proto__"'],
    [Object.create({ of: 'loss' }), 'There is no of "loss"'],
    [{ method: '__proto__' }, 'There is no method "__proto__"'],
    [{ weighting: 'toString' }, 'There is no weighting "toString"'],
    [{ top: null }, 'top is null, must be a whole number from 1 to 65536.'],
    [
      { method: 'rise', masks: 1e9 },
      'masks is 1000000000, must be a whole number from 1 to 100000.',
    ],
    [{ method: 'rise', masks: 1e300 }, 'masks is 1e+300, must be'],
    [{ method: 'rise', seed: 2 ** 32 }, 'from 0 to 4294967295'],
    [{ method: 'ss-cam', samples: 10_001 }, 'samples is 10001'],
    [{ method: 'ss-cam', sigma: 1e300 }, 'sigma is 1e+300, must be a number from 0 to 10.'],
    [{ method: 'is-cam', steps: 1e6 }, 'steps is 1000000'],
    [{ method: 'group-cam', groups: 1e6 }, 'groups is 1000000'],
    [{ method: 'is-cam', top: 1e6 }, 'top is 1000000'],
    [{ signal: {} }, 'signal is of the kind Object, must be an AbortSignal.'],
    [{ onPreview: 'x' }, 'onPreview is "x", must be a function.'],
  ])('%j is refused', async (options, message) => {
    const refusal = await refusalOf(() => explained(options));
    expect(refusal).toMatchObject({ name: 'ScoreCamError', code: 'option' });
    expect(refusal.message).toContain(message);
  });

  it('are copied, so that what is done to them later changes nothing', async () => {
    const given: { method: 'rise'; masks: number } = { method: 'rise', masks: 5 };
    const own = await checked<ExplainOptions>(EXPLAIN, given);
    given.masks = Number.NaN;
    expect(own).toEqual({ method: 'rise', masks: 5 });
    // One that is undefined is not given.
    expect(await checked(EXPLAIN, { top: undefined, never: undefined } as ExplainOptions)).toEqual(
      {},
    );
  });

  it('mean what they meant: defaults, channels in order and once, channel 0 alone', async () => {
    expect(await explained({})).toMatchObject({
      method: 'score-cam',
      layers: ['conv3'],
      channels: undefined,
      weighting: 'probability',
      alignCorners: false,
      baseline: 'mean',
      of: undefined,
    });
    expect(await explained({ channels: [3, 0, 3] })).toMatchObject({ channels: [0, 3] });
    expect(await explained({ channels: [0] })).toMatchObject({ channels: [0] });
    expect(await explained({ weighting: 'softmax-logit' })).toMatchObject({ alignCorners: true });
    expect(await explained({ method: 'ss-cam', sigma: 0 })).toMatchObject({
      sigma: 0,
      samples: 35,
    });
    expect(await explained({ method: 'grad-cam' })).toMatchObject({
      of: 'logit',
      weighting: undefined,
    });
  });
});

describe('options of an explainer', () => {
  const model = 'https://example.org/manifest.json';
  it.each([
    [undefined, 'The object of options is undefined'],
    [null, 'The object of options is null'],
    [
      {},
      'model is undefined, must be an address, a name, a file, an array of files or a loaded model.',
    ],
    [{ model: 5 }, 'model is 5'],
    [{ model: {} }, 'model is of the kind Object'],
    [{ model, dtype: '' }, 'There is no dtype "". Choose from: f32, f16, int8.'],
    [{ model, dtype: 0 }, 'dtype is 0, must be one of f32, f16, int8.'],
    [{ model, dtype: Number.NaN }, 'dtype is NaN'],
    [{ model, precision: '' }, 'There is no precision ""'],
    [{ model, memoryBudget: 0 }, 'memoryBudget is 0, must be a number from 1 on.'],
    [{ model, memoryBudget: '1' }, 'memoryBudget is "1"'],
    [{ model, weights: 5 }, 'weights is 5, must be an address, a file or an array of files.'],
    [{ model, weights: ['a'] }, 'weights is an array of 1'],
    [{ model, cache: true }, 'cache is true, must be a cache with match, put and delete.'],
    [{ model, cache: caches() }, 'cache is of the kind Promise'],
    [{ model, tuningCache: true }, 'tuningCache is true, must be false, or a cache'],
    [{ model, tuning: 'fast' }, 'tuning is "fast", must be an object.'],
    [{ model, tune: 1 }, 'tune is 1, must be true or false.'],
    [{ model, device: {} }, 'device is of the kind Object, must be a GPUDevice.'],
    [{ model, device: null }, 'device is null'],
    [{ model, retryDelays: 500 }, 'retryDelays is 500, must be an array of milliseconds.'],
    [{ model, retryDelays: [Number.NaN] }, 'retryDelays is an array of 1'],
    [{ model, signal: 'now' }, 'signal is "now"'],
    [{ model, onProgress: {} }, 'onProgress is of the kind Object'],
    [{ model, memorybudget: 1 }, 'did you mean "memoryBudget"?'],
  ])('%j are refused, before anything is asked of a GPU or a server', async (options, message) => {
    const refusal = await refusalOf(() => createExplainer(options as ExplainerOptions));
    expect(refusal).toMatchObject({ name: 'ScoreCamError', code: 'option' });
    expect(refusal.message).toContain(message);
  });

  it.each(Object.keys(EXPLAINER))(
    '%s: anything is taken or refused by a ScoreCamError',
    async (name) => {
      for (const value of ODDITIES) {
        const own = () => checked(EXPLAINER, { model, [name]: value } as ExplainerOptions);
        const refusal = await refusalOf(own);
        const isTaken = fits(EXPLAINER[name as keyof ExplainerOptions], value);
        expect([name, shown(value), refusal.name]).toEqual([
          name,
          shown(value),
          isTaken ? 'Error' : 'ScoreCamError',
        ]);
      }
    },
  );

  it('rejects with the reason of a signal that is aborted already', async () => {
    const signal = AbortSignal.abort(new Error('never mind'));
    await expect(createExplainer({ model, signal })).rejects.toThrow('never mind');
  });
});

/** What a page hands over that forgot to await `caches.open()`. */
function caches(): unknown {
  return Promise.resolve({ match: () => undefined, put: () => undefined, delete: () => undefined });
}

describe('the description of the options', () => {
  /** Rows of docs/methods.md's table of options. */
  const documented = (): string[] => {
    const lines = readFileSync(join(projectRoot, 'docs/methods.md'), 'utf8').split('\n');
    const head = lines.indexOf('| option | what it may be | of | what it is |');
    return lines.slice(head + 2, lines.indexOf('', head));
  };

  it('is what docs/methods.md lists', () => {
    const rows = METHOD_OPTIONS.map((option) => {
      const rule: Rule & { readonly summary: string } = OPTIONS[option];
      const of = takers(option).map((name) => {
        const own = METHODS[name].options[option];
        return own === undefined ? name : `${name} (${own})`;
      });
      return `| \`${option}\` | ${allowed(rule)} | ${of.join(', ')} | ${rule.summary} |`;
    });
    expect(documented()).toEqual(rows);
  });

  it('belongs to some method, whose default is as it says', () => {
    for (const option of METHOD_OPTIONS) {
      expect([option, takers(option).length > 0]).toEqual([option, true]);
      for (const name of takers(option)) {
        const own = METHODS[name].options[option];
        if (own !== undefined) expect([option, fits(OPTIONS[option], own)]).toEqual([option, true]);
      }
    }
  });

  it('is what the command line parses by', () => {
    expect(METHOD_OPTIONS.map(spelling)).toContain('--align-corners');
    expect(parseOption('alignCorners', 'false', 8)).toBe(false);
    expect(parseOption('channels', '0-2', 8)).toEqual([0, 1, 2]);
    expect(parseOption('sigma', '0.25', 8)).toBe(0.25);
    expect(parseOption('of', 'logit', 8)).toBe('logit');
    for (const [option, text, message] of [
      ['masks', '1000000000', '--masks "1000000000": give a whole number from 1 to 100000.'],
      ['masks', '1e300', '--masks "1e300": give a whole number from 1 to 100000.'],
      ['sigma', '11', '--sigma "11": give a number from 0 to 10.'],
      ['sigma', ' ', '--sigma " ": give a number'],
      ['seed', '1.5', '--seed "1.5"'],
      ['groups', 'NaN', '--groups "NaN"'],
      ['weighting', '__proto__', '--weighting "__proto__": choose from'],
    ] as const) {
      expect(() => parseOption(option, text, 8)).toThrow(message);
    }
  });
});

describe('listeners', () => {
  it('are not waited for, and what they throw is reported and stops nothing', async () => {
    const reported: unknown[] = [];
    const own = globalThis.reportError;
    globalThis.reportError = (error: unknown) => void reported.push(error);
    try {
      tell(() => {
        throw new Error('at once');
      }, 1);
      tell(async () => {
        throw new Error('later');
      }, 1);
      tell(() => new Promise(() => {}), 1);
      tell(undefined, 1);
      progressMeter('masks', () => {
        throw new Error('of progress');
      })(1, 2);
      await new Promise((resolve) => setTimeout(resolve));
      expect(reported.map((error) => (error as Error).message).sort()).toEqual([
        'at once',
        'later',
        'of progress',
      ]);
    } finally {
      globalThis.reportError = own;
    }
  });
});
