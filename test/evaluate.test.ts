/** `npm run evaluate`: its parts, and end to end on a few scenes. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { metricsAt, parseLimits } from '../cli/evaluation/limits';
import { type SaturatedScene, saturationReport } from '../cli/evaluation/saturation-report';
import { measuringPasses, parseSpecs, passesOf } from '../cli/evaluation/specs';
import { Store } from '../cli/evaluation/store';
import { scaleBox } from '../cli/evaluation/subject';
import { judge, summariseRows } from '../cli/evaluation/summary';
import { csvTable, markdownTable, verdictText } from '../cli/evaluation/tables';
import type { Row } from '../cli/evaluation/types';
import { median } from '../cli/median';
import { pngOf } from '../cli/png';
import { projectRoot } from '../cli/server';
import { type Finished, type How, runScript } from './harness/run-script';

const folder = mkdtempSync(join(tmpdir(), 'score-cam-evaluate-'));
const inFolder = (...parts: string[]): string => join(folder, ...parts);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Spec = ReturnType<typeof parseSpecs>[number];

describe('method specs', () => {
  /** The embedded model's target layer, for two classes. */
  const target = { channels: 64, positions: 196, classes: 2 };

  it('are names with weightings and options', () => {
    expect(parseSpecs('score-cam:increase, is-cam( top=10 ; steps=4 ),grad-cam++')).toEqual([
      { name: 'score-cam:increase', method: 'score-cam', options: { weighting: 'increase' } },
      { name: 'is-cam(top=10; steps=4)', method: 'is-cam', options: { top: 10, steps: 4 } },
      { name: 'grad-cam++', method: 'grad-cam++', options: {} },
    ]);
  });

  it.each([
    ['grad', /choose from score-cam, /],
    ['grad-cam:increase', /take the weightings/],
    ['score-cam:best', /take the weightings/],
    ['rise(top=3)', /no option "top", it takes masks, seed/],
    ['is-cam(steps=0)', /whole number from 1/],
    ['cam,cam', /cam twice/],
  ])('%s is refused', (text, message) => {
    expect(() => parseSpecs(text)).toThrow(message);
  });

  it('know their price', () => {
    const price = (text: string): number => passesOf(parseSpecs(text), target)[0] as number;
    expect(price('score-cam')).toBe(65);
    expect(price('faster-score-cam')).toBe(11);
    expect(price('ss-cam(top=10; samples=4)')).toBe(41);
    expect(price('group-cam(groups=16)')).toBe(34);
    expect(price('rise')).toBe(1001);
    expect(price('recipro-cam')).toBe(1);
  });

  it('pay one pass for increase only where score-cam left its scores before', () => {
    const prices = (text: string): number[] => passesOf(parseSpecs(text), target);
    expect(prices('score-cam, grad-cam, score-cam:increase')).toEqual([65, 1, 1]);
    expect(prices('score-cam:probability, score-cam:increase')).toEqual([65, 1]);
    expect(prices('score-cam:increase')).toEqual([66]);
    expect(prices('score-cam:increase, score-cam')).toEqual([66, 65]);
    expect(prices('score-cam:softmax-logit, score-cam:increase')).toEqual([65, 66]);
    expect(prices('score-cam, faster-score-cam:increase')).toEqual([65, 12]);
    // ADCC explains anew, from the masked passes on.
    const [, reweighed] = parseSpecs('score-cam, score-cam:increase') as [Spec, Spec];
    expect(measuringPasses(reweighed, ['adcc'], target, 100)).toBe(2 * (1 + 66));
  });

  it('know the price of measuring', () => {
    const [spec] = parseSpecs('faster-score-cam') as [Spec];
    const price = (...metrics: Parameters<typeof measuringPasses>[1]): number =>
      measuringPasses(spec, metrics, target, 100);
    expect(price('sparsity', 'pointing')).toBe(0);
    expect(price('confidence')).toBe(4);
    expect(price('insertion', 'deletion')).toBe(404);
    expect(price('adcc')).toBe(2 * (1 + 11));
    expect(price('confidence', 'adcc')).toBe(2 * (2 + 11));
    expect(price('road')).toBe(2 * 8);
    // The second map serves both, and the imputed images do.
    expect(price('adcc', 'road', 'arcc')).toBe(2 * (1 + 8 + 11));
    expect(price('saco', 'infidelity')).toBe(2 * 110);
    expect(price('sensitivity')).toBe(2 * 10 * 11);
  });
});

describe('metrics of the first images', () => {
  const none = { curves: '0', adcc: '0', road: '0', arcc: '0', saco: '0', infidelity: '0' };
  const limits = parseLimits({ ...none, curves: '2', road: '1', sensitivity: '3' });

  it('are left out behind them, and what has no limit is not', () => {
    const wanted = ['confidence', 'insertion', 'adcc', 'road', 'sensitivity', 'pointing'] as const;
    const at = (image: number): string => metricsAt(wanted, limits, image).join();
    expect(at(0)).toBe('confidence,insertion,road,sensitivity,pointing');
    expect(at(1)).toBe('confidence,insertion,sensitivity,pointing');
    expect(at(2)).toBe('confidence,sensitivity,pointing');
    expect(at(3)).toBe('confidence,pointing');
    expect(() => parseLimits({ ...none, sensitivity: 'all' })).toThrow(/--sensitivity/);
  });
});

describe('boxes of files', () => {
  const image = { width: 400, height: 200 };
  const box = { x: 100, y: 50, width: 200, height: 100 };

  it('are scaled and cropped as the image is', () => {
    const cover = { width: 100, height: 100, resize: 'cover' } as const;
    expect(scaleBox(box, image, cover)).toEqual({ x: 0, y: 25, width: 100, height: 50 });
    const stretch = { width: 100, height: 100, resize: 'stretch' } as const;
    expect(scaleBox(box, image, stretch)).toEqual({ x: 25, y: 25, width: 50, height: 50 });
  });

  it('are empty where the crop leaves nothing', () => {
    const left = { x: 0, y: 0, width: 90, height: 200 };
    const cover = { width: 100, height: 100, resize: 'cover' } as const;
    expect(scaleBox(left, image, cover)).toMatchObject({ x: 0, width: 0 });
  });
});

/** A map of an image by a method that leaves so much probability and energy. */
const row = (image: number, method: string, masked: number, energy: number): Row => ({
  image: `image ${image}`,
  class: 1,
  label: 'thing',
  method,
  first: true,
  milliseconds: 10 * image,
  passes: { forward: 3, backward: 0, head: 0 },
  measures: { flat: false, probability: 0.8, masked, energy, passes: 2 },
  ...(method === 'score-cam' ? {} : { agreement: image / 50 }),
});

const specs = parseSpecs('score-cam, grad-cam, cam');
const images = Array.from({ length: 40 }, (_, i) => i + 1);
const jitter = (i: number): number => ((i * 7) % 5) / 100;
const rows: Row[] = images.flatMap((i) => [
  row(i, 'score-cam', 0.6 + jitter(i), 0.5 + jitter(i)),
  row(i, 'grad-cam', 0.4 + jitter(i + 2), 0.5 + jitter(i + 1)),
  { image: `image ${i}`, class: 1, label: 'thing', method: 'cam', refused: 'no pooling head' },
]);

describe('tables', () => {
  const methods = summariseRows(rows, specs);

  it('hold means, medians and refusals', () => {
    const [score, grad, cam] = methods;
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
    expect(score?.milliseconds).toBe(205);
    const drops = images.map((i) => (0.8 - (0.6 + jitter(i))) / 0.8);
    const mean = drops.reduce((a, b) => a + b, 0) / drops.length;
    expect(score?.summary.averageDrop).toBeCloseTo(100 * mean, 9);
    expect(score?.win).toBeUndefined();
    expect(grad?.win).toBe(0);
    expect([score?.agreement, grad?.agreement]).toEqual([undefined, expect.closeTo(0.41, 12)]);
    expect(cam).toMatchObject({ refused: 'no pooling head', summary: { maps: 0 } });
    const table = markdownTable(methods);
    expect(table).toContain(`| \`score-cam\` | ${(100 * mean).toFixed(1)} | 0.0 |`);
    expect(table).toContain('`cam` is not defined here: no pooling head');
    expect(table).toMatch(/\| `grad-cam` \|.* \| 0\.410 \| 0\.20 \| 3 forward \|/);
    const [head, first] = csvTable(methods)
      .split('\n')
      .map((line) => line.split(','));
    const column = (name: string): number => Number(first?.[head?.indexOf(name) as number]);
    expect(column('averageDrop')).toBeCloseTo(100 * mean, 9);
    expect(column('averageDrop maps')).toBe(40);
    expect([column('averageDrop from'), column('averageDrop to')]).toEqual(
      score?.intervals.averageDrop,
    );
  });

  it('give each mean a 95 % interval, resampling images and not their maps', () => {
    const interval = (all: readonly Row[]): readonly [number, number] =>
      summariseRows(all, specs)[0]?.intervals.averageDrop ?? [Number.NaN, Number.NaN];
    const own = rows.filter(({ method }) => method === 'score-cam');
    const [low, high] = interval(own);
    const drops = own.map(({ measures }) => 100 * ((0.8 - (measures?.masked as number)) / 0.8));
    const mean = drops.reduce((a, b) => a + b, 0) / drops.length;
    const sd = Math.sqrt(drops.reduce((a, b) => a + (b - mean) ** 2, 0) / drops.length);
    // Nearly normal: 1.96 standard errors to either side.
    const reach = (1.96 * sd) / Math.sqrt(drops.length);
    expect(Math.abs(mean - reach - low)).toBeLessThan(0.15 * reach);
    expect(Math.abs(mean + reach - high)).toBeLessThan(0.15 * reach);
    // A second class of each image that says the same tells nothing more.
    const twice = own.flatMap((one) => [one, { ...one, class: 2, first: false }]);
    expect(interval(twice)).toEqual([expect.closeTo(low, 9), expect.closeTo(high, 9)]);
    expect(summariseRows(own.slice(0, 1), specs)[0]?.intervals).toEqual({});
  });

  it('judge by the interval, either way, and own up to what cannot be told', () => {
    const verdicts = judge(rows, 'score-cam', 'grad-cam');
    const of = (figure: string) => verdicts.find((one) => one.figure === figure);
    expect(of('averageDrop')).toMatchObject({ outcome: 'better', maps: 40 });
    expect(of('energy')?.outcome).toBe('undecided');
    const [low, high] = of('averageDrop')?.interval ?? [0, 0];
    const { first, second } = of('averageDrop') ?? { first: 0, second: 0 };
    expect(low).toBeLessThan(first - second);
    expect(high).toBeGreaterThan(first - second);
    expect(
      judge(rows, 'grad-cam', 'score-cam').find((one) => one.figure === 'averageDrop'),
    ).toMatchObject({
      outcome: 'worse',
      interval: [-high, -low].map((value) => expect.closeTo(value, 9)),
    });
    const text = verdictText('score-cam', 'grad-cam', verdicts);
    expect(text).toMatch(/score-cam is better on: Average Drop, % \(lower is better\)/);
    expect(text).toMatch(/cannot tell the two apart on: .*energy in the box/);
  });
});

describe('the report on saturation', () => {
  const scene: SaturatedScene = {
    image: 'scene 1',
    label: 'star',
    probability: 0.999,
    logitLeft: 0.9,
    probabilityLeft: 0.01,
    saturates: true,
    largestIncrease: 0.8,
    flat: false,
    sameMap: 0.95,
  };

  it('is of the scenes that the network is sure of', () => {
    const steady = { ...scene, probabilityLeft: 0.8, saturates: false };
    const text = saturationReport(
      [
        scene,
        scene,
        steady,
        { ...scene, flat: true, sameMap: null },
        { ...scene, probability: 0.5 },
      ],
      'a model',
    );
    expect(text).toContain('a model, 5 scenes with one object');
    expect(text).toContain('In 4 of them');
    expect(text).toContain("| left of the probability's gradient | 0.0100 (0.0100 to 0.0100) |");
    expect(text).toContain('keeps in 3 of 4 scenes: it saturates.');
    expect(text).toContain('probability is flat in 1.');
  });

  it('says where nothing saturates, and where nothing is sure', () => {
    const steady = { ...scene, probabilityLeft: 0.8, saturates: false };
    expect(saturationReport([steady, steady, scene], 'a')).toContain('mostly it does not saturate');
    expect(saturationReport([{ ...scene, probability: 0.5 }], 'a')).toContain(
      'nothing can be said of saturation here',
    );
  });
});

describe('the store', () => {
  it('goes on, drops a line that was cut off, and refuses other settings', () => {
    const out = inFolder('store');
    const [first, second] = [rows.slice(0, 1), rows.slice(1, 2)];
    const store = Store.open(out, { model: 'a', steps: 100 }, false);
    const picture = { width: 1, height: 1, rgba: Buffer.from([1, 2, 3, 255]).toString('base64') };
    store.add(first.map((one) => ({ ...one, picture })));
    store.add(second);
    const file = join(out, 'maps.jsonl');
    writeFileSync(file, readFileSync(file, 'utf8').slice(0, -10));
    const again = Store.open(out, { steps: 100, model: 'a' }, false);
    expect(again.rows).toEqual(first);
    expect(again.has('image 1', 'score-cam')).toBe(true);
    expect(again.has('image 1', 'grad-cam')).toBe(false);
    expect(again.picture(first[0] as Row)).toBe(pngOf(picture).toString('base64'));
    again.add(second);
    expect(Store.open(out, { model: 'a', steps: 100 }, false).rows).toEqual([...first, ...second]);
    expect(() => Store.open(out, { model: 'a', steps: 50 }, false)).toThrow(
      /steps was 100, is 50.*--restart/,
    );
    expect(Store.open(out, { model: 'a', steps: 50 }, true).rows).toEqual([]);
  });
});

const evaluate = (args: readonly string[], how?: How): Promise<Finished> =>
  runScript('cli/evaluate.ts', args, how);

describe('npm run evaluate', () => {
  const methods = ['--methods', 'layer-cam, grad-cam, cam'];
  const quick = [
    '--curves',
    '1',
    '--steps',
    '2',
    '--adcc',
    '1',
    ...['--road', '0', '--arcc', '0', '--saco', '1', '--infidelity', '0', '--sensitivity', '0'],
    '--sanity',
    '0',
    '--pictures',
    '1',
  ];
  const read = (name: string, file: string): string => readFileSync(inFolder(name, file), 'utf8');

  it('measures, goes on where it was, and comes to the same', async () => {
    const common = [...methods, ...quick];
    const short = await evaluate([...common, '--limit', '1', '--out', inFolder('resumed')]);
    expect(short.stderr).toContain('1 image by 3 methods');
    expect(short.code).toBe(0);
    const resumed = await evaluate([...common, '--limit', '2', '--out', inFolder('resumed')]);
    expect(resumed.code).toBe(0);
    expect(resumed.stdout).toContain('`cam` is not defined here: CAM needs a pooling head');

    const results = (name: string) => {
      const { methods: all, images: count, verdicts } = JSON.parse(read(name, 'results.json'));
      // Times differ from run to run.
      const timeless = all.map(({ milliseconds, ...rest }: { milliseconds: number }) => {
        expect(milliseconds === undefined || milliseconds > 0).toBe(true);
        return rest;
      });
      return { count, verdicts, all: timeless };
    };
    expect(results('resumed').count).toBe(2);
    if (process.env.SCORE_CAM_SLOW === '1') {
      const whole = await evaluate([...common, '--limit', '2', '--out', inFolder('whole')]);
      expect(whole.code).toBe(0);
      expect(results('resumed')).toEqual(results('whole'));
    }

    // The table's figures anew from the lines.
    const lines = read('resumed', 'maps.jsonl').trim().split('\n');
    const found = lines.flatMap((line) => JSON.parse(line) as Row[]);
    const own = found.filter(({ method }) => method === 'grad-cam');
    expect(own).toHaveLength(4);
    const energy = own.reduce((sum, { measures }) => sum + (measures?.energy as number) / 4, 0);
    expect(read('resumed', 'table.md')).toMatch(
      new RegExp(`\\| \`grad-cam\` \\|.*\\| ${(100 * energy).toFixed(1)} \\|`),
    );
    expect(own.filter(({ measures }) => measures?.insertion)).toHaveLength(2);
    expect(own[0]?.measures?.deletion?.probabilities).toHaveLength(3);
    expect(own.filter(({ measures }) => measures?.saco !== undefined)).toHaveLength(2);
    expect(own.filter(({ measures }) => measures?.rank !== undefined)).toHaveLength(4);
    expect(read('resumed', 'table.md')).toMatch(/SaCo ↑ \(2 maps\)/);
    for (const plot of ['average-drop.svg', 'energy.svg', 'insertion.svg', 'time.svg']) {
      expect(read('resumed', plot)).toMatch(/^<svg .*xmlns="http:\/\/www.w3.org\/2000\/svg"/);
    }
    expect(existsSync(inFolder('resumed', 'gallery.png'))).toBe(true);

    const other = await evaluate([...common, '--steps', '3', '--out', inFolder('resumed')]);
    expect(other.code).not.toBe(0);
    expect(other.stderr).toMatch(/steps was 2, is 3/);
  });

  it.skipIf(process.env.SCORE_CAM_SLOW !== '1')(
    'says what is left of gradients on scenes with one object',
    async () => {
      const out = inFolder('saturation');
      const { code, stdout } = await evaluate(['--saturation', '1', '--out', out]);
      expect(code).toBe(0);
      const [scene] = JSON.parse(readFileSync(join(out, 'report.json'), 'utf8')) as [
        SaturatedScene,
      ];
      expect(stdout).toBe(
        `${saturationReport([scene], 'scenes-vgg16')}\nWrote to ${out}: report.md, report.json\n`,
      );
      // The network names it, and its maps say so too.
      expect(scene.probability).toBeGreaterThan(0.5);
      expect(scene.largestIncrease).toBeGreaterThan(0.1);
      expect(scene.probabilityLeft).toBeGreaterThan(0);
      expect(scene.probabilityLeft).toBeLessThanOrEqual(1);
      expect(scene.logitLeft).toBeLessThanOrEqual(1);
    },
  );

  it.each([
    [['--limit', '0'], /--limit "0"/],
    [['--seed', '7'], /used in training/],
    [['--saturation', '1', '--seed', '7'], /used in training/],
    [['--boxes', 'x.json'], /no use without --images/],
    [['--images', 'nowhere'], /there is no such folder/],
    [['--metrics', 'beauty'], /--metrics "beauty"/],
    [['--saturation', '0'], /--saturation "0"/],
    [['--runtime', 'node', '--images', '.'], /reads no image files: give none/],
    [['--model', 'vgg16-seeded-1'], /give a model on this disk/],
  ])('%j is refused before a browser starts', async (args, message) => {
    const { code, stderr } = await evaluate([...args, '--out', inFolder('never')]);
    expect(code).not.toBe(0);
    expect(stderr).toMatch(message);
    expect(existsSync(inFolder('never'))).toBe(false);
  });

  it.each([
    [[], 'out/evaluation'],
    [['--argument'], 'out/argument'],
    [['--argument', '--out', 'out/evaluation'], 'out/evaluation'],
    [['--saturation', '1'], 'out/saturation'],
  ])('%j writes to %s', async (args, out) => {
    // A file stands where the folder would be made: refused by its name, before a browser starts.
    const cwd = inFolder('elsewhere');
    mkdirSync(cwd, { recursive: true });
    writeFileSync(join(cwd, 'out'), '');
    const { code, stderr } = await evaluate(args, { cwd });
    expect(stderr).toContain(`--out ${out}: ${join(cwd, 'out')} is a file`);
    expect(code).toBe(1);
  });

  it('names the entry of a boxes file that is wrong', async () => {
    const boxes = inFolder('boxes.json');
    writeFileSync(boxes, JSON.stringify({ 'sample.png': [{ label: 'arrow', box: [0, 0, 5] }] }));
    const images = join(projectRoot, 'weights', 'scenes-vgg16');
    const run = await evaluate(['--images', images, '--boxes', boxes, '--out', inFolder('never')]);
    expect(run.stderr).toMatch(/"sample.png" must be a list/);
    writeFileSync(boxes, JSON.stringify({ 'other.png': [] }));
    const none = await evaluate(['--images', images, '--boxes', boxes, '--out', inFolder('never')]);
    expect(none.stderr).toMatch(/there is no image "other.png"/);
  });
});
