/** `npm run explain -- FOLDER`, and what keeps work that is interrupted: lines, settings, lists and shares of them. */
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Line } from '../cli/explanation/folder';
import { imageFiles } from '../cli/image-files';
import { appendLine, dropCutLine, readLines } from '../cli/json-lines';
import { keepSettings } from '../cli/kept-settings';
import { parseShard, rejoined, shareOf } from '../cli/shard';
import { findBrowser } from '../scripts/browser.mjs';
import { type Finished, type How, runEach, runScript } from './harness/run-script';
import { redAndBlue, writeToyModel } from './harness/toy-model';

const folder = mkdtempSync(join(tmpdir(), 'score-cam-folders-'));
const inFolder = (...parts: string[]): string => join(folder, ...parts);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('lines of JSON', () => {
  it('count with their ends only, however long they are', () => {
    const path = inFolder('lines.jsonl');
    expect([...readLines(path)]).toEqual([]);
    dropCutLine(path);
    expect(existsSync(path)).toBe(false);
    // Longer than the pieces that are read at once, and with letters of several bytes on their borders.
    const long = ['é'.repeat(700_001), 'x'.repeat(2 ** 20 - 3), '', '鶴'.repeat(1_000_000)];
    for (const value of long) appendLine(path, value);
    expect([...readLines(path)]).toEqual(long);
    appendFileSync(path, '"cut o');
    expect([...readLines(path)]).toEqual(long);
    dropCutLine(path);
    appendLine(path, 'next');
    expect([...readLines(path)]).toEqual([...long, 'next']);
  });

  it('say which of them is damaged', () => {
    const path = inFolder('damaged.jsonl');
    writeFileSync(path, '1\n\0\0\n3\n');
    expect(() => [...readLines(path)]).toThrow(/damaged\.jsonl: line 2 is no JSON.*take the line/);
  });
});

describe('settings', () => {
  it('are the same, or refused by name', () => {
    const at = inFolder('settings');
    keepSettings(at, { model: 'a', steps: 2 }, false, []);
    keepSettings(at, { steps: 2, model: 'a', none: undefined }, false, []);
    expect(() => keepSettings(at, { model: 'a', steps: 3 }, false, [])).toThrow(
      /another setting: steps was 2, is 3.*--restart/,
    );
    expect(() => keepSettings(at, { model: 'a', steps: 2, seed: 1 }, false, [])).toThrow(
      /seed was undefined, is 1/,
    );
    writeFileSync(join(at, 'old.txt'), '');
    keepSettings(at, { model: 'a', steps: 3 }, true, ['old.txt']);
    expect(readdirSync(at)).toEqual(['settings.json']);
    writeFileSync(join(at, 'settings.json'), '{"model"');
    expect(() => keepSettings(at, {}, false, [])).toThrow(
      /settings\.json cannot be read.*--restart/,
    );
  });
});

describe('images of a folder', () => {
  it('are listed with those of folders in it, in one order, without what is hidden or left out', () => {
    const root = inFolder('listed');
    for (const name of ['b/x.PNG', 'a.jpg', 'b.jpeg', 'Z.png', 'ä.png', 'out/o.png', '.h/h.png']) {
      mkdirSync(join(root, name, '..'), { recursive: true });
      writeFileSync(join(root, name), '');
    }
    for (const name of ['._a.jpg', 'notes.txt']) writeFileSync(join(root, name), '');
    mkdirSync(join(root, 'empty.png'));
    expect(imageFiles('--images', root, join(root, 'out'))).toEqual([
      ...['Z.png', 'a.jpg', 'b.jpeg', 'b/x.PNG', 'ä.png'],
    ]);
    expect(() => imageFiles('--images', inFolder('none'))).toThrow(/no such folder/);
    expect(() => imageFiles('--images', join(root, 'empty.png'))).toThrow(/no PNG or JPEG/);
  });
});

describe('shards', () => {
  it.each([1, 2, 7, 16, 40])('in %d parts are the list', (of) => {
    const list = Array.from({ length: 23 }, (_, i) => i);
    const shares = Array.from({ length: of }, (_, i) => shareOf(list, { number: i + 1, of }));
    expect(rejoined(shares)).toEqual(list);
    const sizes = shares.map((share) => share.length);
    expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
  });

  it('are written as a number of a number', () => {
    expect(parseShard('3/16')).toEqual({ number: 3, of: 16 });
    for (const text of ['', '3', '0/4', '5/4', '1/0', '-1/4', '1/4/', '1.5/4', '1/100001']) {
      expect(() => parseShard(text)).toThrow(/write 3\/16 for the third of sixteen/);
    }
  });
});

const explain = (args: readonly string[], how?: How): Promise<Finished> =>
  runScript('cli/explain.ts', args, { cwd: folder, ...how });

const linesOf = (out: string): Line[] => [...readLines(join(out, 'results.jsonl'))] as Line[];

/** Of the folders that are explained in these tests. */
const MAPS = ['map.f32', 'result.json'];

describe('npm run explain -- FOLDER', () => {
  const model = inFolder('toy');
  const images = inFolder('photos');
  const names = Array.from({ length: 12 }, (_, i) => `${i % 3 === 0 ? 'more/' : ''}${i + 10}.png`);
  const args = ['photos', '--model', model, '--class', 'auto,blue', '--files', 'map'];
  const out = inFolder('out', 'photos');
  const killed = inFolder('killed');
  const hasLines = (at: string): boolean => existsSync(join(at, 'results.jsonl'));

  beforeAll(() => {
    writeToyModel(model);
    mkdirSync(join(images, 'more'), { recursive: true });
    for (const name of names) writeFileSync(join(images, name), redAndBlue());
    writeFileSync(join(images, 'broken.png'), 'no image');
  });

  it('explains them all but those that are none, and goes on with a new browser where one dies', async () => {
    // Its process is known by the file that it writes first of all.
    const pids = inFolder('pids');
    const chrome = inFolder('chrome');
    writeFileSync(chrome, `#!/bin/sh\necho $$ >> '${pids}'\nexec '${findBrowser()}' "$@"\n`);
    chmodSync(chrome, 0o755);
    const started = (): number[] => readFileSync(pids, 'utf8').trim().split('\n').map(Number);
    let isHit = false;
    const run = await explain(args, {
      env: { CHROME_PATH: chrome },
      onStderr: () => {
        if (isHit || !hasLines(out)) return;
        isHit = true;
        process.kill(started()[0] as number, 'SIGKILL');
      },
    });
    expect(run.code).toBe(1);
    expect(started()).toHaveLength(2);
    expect(run.stderr).toMatch(/images: 13 of 13 images/);
    const told = run.stderr.trimEnd().split('\n').at(-1);
    expect(told).toMatch(/^2 of 13 images failed: .*tries these again\.$/);
    expect(told).toContain('broken.png: broken.png (8 bytes) is no image');
    expect(told).toMatch(/[0-9]\.png: (Chrome ended unexpectedly|.*closed)/);
    const lines = linesOf(out);
    expect(lines.map(({ image }) => image)).toEqual(imageFiles('', images));
    const good = lines.filter((line) => 'top' in line);
    expect(good).toHaveLength(11);
    expect(good[0]).toMatchObject({
      model: 'toy',
      methods: [
        { method: 'score-cam', layer: 'conv1', classes: [{}, { class: { label: 'blue' } }] },
      ],
      failed: [],
    });
    expect(readdirSync(join(out, good[0]?.image as string))).toEqual(['map-blue.f32', ...MAPS]);
  });

  it('tries again what failed, and comes to the same after having been killed', async () => {
    const stopped = await explain([...args, '--out', killed], {
      onStderr: (child) => hasLines(killed) && child.kill('SIGKILL'),
    });
    expect(stopped.code).toBeNull();
    const before = linesOf(killed);
    expect(before.length).toBeGreaterThan(0);
    expect(before.length).toBeLessThan(13);
    appendFileSync(join(killed, 'results.jsonl'), JSON.stringify(before[0]).slice(0, -9));

    writeFileSync(join(images, 'broken.png'), redAndBlue());
    const resumed = await explain([...args, '--out', killed]);
    const again = await explain([...args, '--json']);
    expect([resumed.code, again.code]).toEqual([0, 0]);
    // A line for what was done now, and one an image in the file.
    expect(again.stdout.trim().split('\n')).toHaveLength(2);
    const lines = linesOf(killed);
    expect(lines.slice(0, before.length)).toEqual(before);
    expect(lines.map(({ image }) => image)).toEqual(imageFiles('', images));
    const byName = (a: Line, b: Line): number => (a.image < b.image ? -1 : 1);
    const timeless = (at: string) =>
      linesOf(at)
        .sort(byName)
        .map((line) => JSON.stringify(line).replaceAll(/"(timings|mapMilliseconds)":[^}]*/g, ''));
    expect(timeless(out)).toEqual(timeless(killed));
    for (const image of imageFiles('', images)) {
      const [a, b] = [out, killed].map((at) => readFileSync(join(at, image, 'map-blue.f32')));
      expect(a?.equals(b as Buffer)).toBe(true);
    }
  });

  it('refuses other settings, what only a folder takes, and a folder without images', async () => {
    mkdirSync(inFolder('bare'));
    const refusals: [string[], RegExp][] = [
      [['photos', '--model', model], /holds results with another setting: classes was /],
      [[join(images, '11.png'), '--restart'], /--restart is of use to a folder only/],
      [['bare'], /no PNG or JPEG in it/],
      [['photos', '--files', 'maps'], /--files "maps": choose from overlay, /],
      [['photos', '--files', 'none,map'], /give none alone/],
      [['photos', '--model', model, '--method', 'cam'], /CAM needs a pooling head/],
    ];
    const lists = refusals.map(([list]) => list);
    const runs = await runEach('cli/explain.ts', lists, { cwd: folder });
    refusals.forEach(([list, message], i) => {
      expect(runs[i]?.stderr, list.join(' ')).toMatch(message);
      expect(runs[i]?.code).not.toBe(0);
    });
  });
});
