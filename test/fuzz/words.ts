/** Manifests, options of an explanation, and the words of a command line. */
import { deepStrictEqual } from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import {
  parseBoolean,
  parseFilled,
  parseName,
  parsePositive,
  parseWhole,
} from '../../cli/option-types';
import {
  closeLabels,
  defaultOut,
  findModel,
  parseChannels,
  parseClasses,
  parseMethods,
  parseNumber,
} from '../../cli/options';
import { projectRoot } from '../../cli/server';
import { checked } from '../../src/explain/check';
import type { ExplainOptions } from '../../src/explain/explain-options';
import { choose } from '../../src/explain/methods/choose';
import { type NumberOption, OPTIONS } from '../../src/explain/methods/options';
import { METHOD_NAMES } from '../../src/explain/methods/registry';
import { EXPLAIN } from '../../src/explain/option-rules';
import { parseManifest } from '../../src/model/manifest';
import { locateModel } from '../../src/model/model';
import { targetIndex } from '../../src/model/network';
import { narrowManifest, narrowNetwork } from '../harness/narrow-vgg';
import { smallModel } from '../harness/small-model';
import { damaged, damagedJson } from './mutations';
import { target } from './target';

const scenes: object = JSON.parse(
  readFileSync(join(projectRoot, 'weights/scenes-vgg16/manifest.json'), 'utf8'),
);
const hosted = {
  format: 'safetensors',
  file: 'https://example.org/weights',
  bytes: 9,
  sha256: 'abcdef01',
};
const manifests = [narrowManifest, smallModel().manifest, scenes].map((manifest) => ({
  ...manifest,
  weights: hosted,
}));
const manifestBytes = new TextEncoder().encode(JSON.stringify(manifests[0]));

/** A manifest that is taken is one that says the same when it is read again, of layers that have a size. */
async function locate(text: string): Promise<void> {
  const address = `data:application/json;base64,${Buffer.from(text).toString('base64')}`;
  const { manifest, network } = await locateModel(address, { retryDelays: [] });
  // Not by way of JSON, which makes 0 of -0.
  deepStrictEqual(parseManifest(structuredClone(manifest)), manifest);
  targetIndex(network, network.targetLayer);
  for (const { name, output } of network.layers) {
    const { channels, height, width } = output;
    for (const size of [channels, height, width]) {
      if (!Number.isSafeInteger(size) || size < 1) throw new Error(`${name} is ${size} large`);
    }
  }
}

/** A member, the network, or its weights. */
const MANIFEST_NAMES = /"|data:|weights of/;

const number = fc.oneof(
  fc.constantFrom(0, -0, -1, 0.5, 1e300, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31, 2 ** 53),
  fc.integer(),
  fc.double(),
);
const layer = fc.oneof(
  fc.constantFrom(...narrowNetwork.layers.map(({ name }) => name), 'toString', ''),
  fc.string({ maxLength: 1000 }),
);

const name = (...names: readonly string[]) =>
  fc.oneof(
    fc.constantFrom(...names, '__proto__', 'constructor', ''),
    fc.string({ maxLength: 1000 }),
  );

const rules = Object.entries(OPTIONS);
const NUMBERS = rules.flatMap(([option, rule]) =>
  'least' in rule ? [option as NumberOption] : [],
);

/** Each option with values of its kind; those of no kind are for all. */
const values: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  ...Object.fromEntries(
    rules.map(([option, rule]) => [option, 'names' in rule ? name(...rule.names) : number]),
  ),
  method: name(...METHOD_NAMES),
  layer: fc.oneof(layer, fc.array(layer, { maxLength: 4 })),
  alignCorners: fc.boolean(),
  validate: fc.boolean(),
  channels: fc.array(fc.oneof(fc.nat(8), number), { maxLength: 5 }),
  class: fc.oneof(number, layer),
};
const anything = fc.anything({
  withMap: true,
  withSet: true,
  withBigInt: true,
  withDate: true,
  withTypedArray: true,
});

const options = fc
  .tuple(
    fc.option(fc.constantFrom(...METHOD_NAMES), { nil: undefined }),
    fc
      .subarray([...Object.keys(EXPLAIN), 'chanels', '__proto__', 'toString'], { maxLength: 3 })
      .chain((names) =>
        fc.record(
          Object.fromEntries(
            names.map((option) => [
              option,
              fc.oneof(
                {
                  weight: 4,
                  arbitrary: Object.hasOwn(values, option)
                    ? (values[option] as fc.Arbitrary<unknown>)
                    : anything,
                },
                anything,
              ),
            ]),
          ),
        ),
      ),
  )
  .map(([method, given]) => ({ ...(method ? { method } : {}), ...given }) as ExplainOptions);

async function chooses(given: ExplainOptions): Promise<void> {
  const chosen = await choose(await checked(EXPLAIN, given), narrowNetwork);
  for (const option of NUMBERS) {
    if (given[option] !== undefined) deepStrictEqual(chosen[option], given[option]);
  }
}

/** Pieces of which an argument is made. */
const argument = fc.oneof(
  fc
    .array(
      fc.oneof(
        fc.constantFrom(
          ...',-.:/\\0192"\'\n\x1b \t',
          'auto',
          'vgg16',
          'http://',
          'score-cam',
          '1e9',
          '0-7',
          'tench',
        ),
        fc.string({ maxLength: 6 }),
      ),
      { maxLength: 12 },
    )
    .map((pieces) => pieces.join('')),
  fc.constantFrom('0-63,'.repeat(2000), 'x'.repeat(5000), 'a,'.repeat(20), ','.repeat(30)),
);

const labels = ['cat', 'dog, wild', 'dog', 'dog', '0', 'auto', 'Tench'];

/** Each way to read an argument, with what must be true of what it gives. */
const READERS: Readonly<Record<string, (text: string) => boolean>> = {
  whole: (text) => Number.isSafeInteger(parseWhole('--seed', text, 0)),
  positive: (text) => (parsePositive('--minutes', text, '5') ?? 0) > 0,
  name: (text) => ['a', 'b'].includes(parseName('--name', text, ['a', 'b'])),
  boolean: (text) => typeof parseBoolean('--align-corners', text) === 'boolean',
  filled: (text) => parseFilled('--out', text)?.trim() !== '',
  number: (text) => NUMBERS.every((option) => Number.isFinite(parseNumber(option, text))),
  channels: (text) =>
    parseChannels(text, 64).every((k, i, all) => k < 64 && (i === 0 || k > (all[i - 1] as number))),
  classes: (text) =>
    parseClasses(text, labels).every((one) => one === 'auto' || one < labels.length),
  methods: (text) => parseMethods(text, {}).length > 0,
  model: (text) => findModel(text).kind.length > 0,
  out: (text) => defaultOut(text).startsWith('out'),
  close: (text) => closeLabels(text, labels).length <= 5,
};

export const WORDS = [
  target('manifest', 4, damagedJson(...manifests), MANIFEST_NAMES, locate),
  target(
    'manifest-text',
    1,
    damaged(manifestBytes).map((bytes) => new TextDecoder('latin1').decode(bytes)),
    MANIFEST_NAMES,
    locate,
  ),
  target(
    'options',
    4,
    fc.oneof({ weight: 9, arbitrary: options }, anything as fc.Arbitrary<ExplainOptions>),
    /"|\d|^.* is /,
    chooses,
  ),
  target(
    'arguments',
    5,
    fc.tuple(fc.constantFrom(...Object.keys(READERS)), argument),
    /["\d-]/,
    ([reader, text]) => {
      if (!READERS[reader]?.(text)) throw new Error('this is no answer');
    },
  ),
];
