/** `npm run evaluate -- --shard` and `--merge`, and the scripts that clusters run them by. */
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
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
import { setTimeout as sleep } from 'node:timers/promises';
import type { Job } from 'kubernetes-types/batch/v1';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { mergeShards } from '../cli/evaluation/merge';
import { writeResults } from '../cli/evaluation/results';
import { keepImages, settingsOfShard, shardFolder } from '../cli/evaluation/shards';
import { parseSpecs } from '../cli/evaluation/specs';
import { Store } from '../cli/evaluation/store';
import type { Planned } from '../cli/evaluation/subjects';
import type { Row, Run } from '../cli/evaluation/types';
import { projectRoot } from '../cli/server';
import { shareOf } from '../cli/shard';
import { type Finished, type How, runScript } from './harness/run-script';
import { Slurm, slurmLacks } from './harness/slurm';
import { redAndBlue, writeToyModel } from './harness/toy-model';

const folder = mkdtempSync(join(tmpdir(), 'score-cam-shards-'));
const inFolder = (...parts: string[]): string => join(folder, ...parts);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const noGallery = (): Promise<string> => Promise.reject(new Error('no picture was kept'));

/** What does not hang on when and how fast it was found. */
function timeless(out: string): unknown {
  const { date, methods, ...rest } = JSON.parse(readFileSync(join(out, 'results.json'), 'utf8'));
  return {
    ...rest,
    methods: methods.map(({ milliseconds, ...figures }: { milliseconds: number }) => figures),
    table: readFileSync(join(out, 'table.csv'), 'utf8'),
  };
}

describe('merging', () => {
  const specs = parseSpecs('score-cam, grad-cam, is-cam(top=10; steps=4)');
  const subjects: Planned[] = Array.from({ length: 23 }, (_, i) => ({
    name: `${i}.png`,
    classes: 1,
    objects: [],
    take: () => {
      throw new Error('no image is read');
    },
  }));
  const settings = { model: 'a', methods: specs.map(({ name }) => name) };
  const counts = { curves: 0, adcc: 0, pictures: 2, sanity: 3 };
  const run = { model: 'toy', adapter: { vendor: 'a' }, browser: 'Chrome/1' } as unknown as Run;

  /** What a method finds of an image: sums of such numbers depend on their order. */
  const found = (image: string, method: string): Row[] => {
    const figure = (of: number): number =>
      Math.abs(Math.sin(of * (image.length + Number(image[0]) + method.length)));
    return ['cat', 'dog'].map((label, i) => ({
      ...{ image, class: i, label, method, first: i === 0, milliseconds: 1 },
      passes: { forward: 3, backward: 0, head: 0 },
      measures: {
        flat: false,
        probability: 0.9,
        masked: figure(i + 1),
        energy: figure(i + 3),
        passes: 2,
      },
      ...(method === 'score-cam' ? {} : { agreement: figure(i + 5) }),
    }));
  };

  const fill = (store: Store, images: readonly string[]): void => {
    store.addRun(run);
    for (const image of images) {
      for (const { name } of specs) {
        const picture = { width: 1, height: 1, rgba: btoa(image.slice(-4).padStart(4)) };
        store.add(found(image, name).map((row) => ({ ...row, picture })));
      }
      if (subjects.slice(0, 3).some(({ name }) => name === image)) {
        store.addSanity(image, [
          { method: 'score-cam', layer: image, layers: 1, correlation: 0.5 },
        ]);
      }
    }
  };

  const openShard = (
    out: string,
    number: number,
    of: number,
    restart = false,
    changes = {},
  ): Store => {
    const shard = { number, of };
    const own = settingsOfShard({ ...settings, ...changes }, shard, counts, subjects);
    const store = Store.open(shardFolder(out, shard), own, restart);
    keepImages(
      store.folder,
      shareOf(subjects, shard).map(({ name }) => name),
    );
    return store;
  };

  const fillShard = (out: string, number: number, of: number): void =>
    fill(
      openShard(out, number, of),
      shareOf(subjects, { number, of }).map(({ name }) => name),
    );

  /** What the gallery shows, instead of a picture of it. */
  const asText = async (...shown: unknown[]): Promise<string> => btoa(JSON.stringify(shown));

  const images = subjects.map(({ name }) => name);

  beforeAll(async () => {
    const store = Store.open(inFolder('one'), settings, false);
    fill(store, images);
    await writeResults(store.folder, { ...counts, found: store, specs, images }, asText);
  });

  it.each([1, 5, 16, 40])(
    '%d shards gives what one run gives, whoever was killed or ran twice',
    async (of) => {
      const out = inFolder(`of ${of}`);
      for (let number = of; number >= 1; number--) fillShard(out, number, of);
      // The first was killed in the middle of a line, and started twice at once.
      const lines = join(shardFolder(out, { number: 1, of }), 'maps.jsonl');
      const all = readFileSync(lines, 'utf8');
      writeFileSync(lines, all.slice(0, Math.floor(0.6 * all.length)));
      await expect(mergeShards(out, asText)).rejects.toThrow(
        `Not finished: shard 1/${of}. Run the same command again`,
      );
      openShard(out, 1, of);
      appendFileSync(lines, all);
      await mergeShards(out, asText);
      expect(timeless(out)).toEqual(timeless(inFolder('one')));
      for (const name of ['table.csv', 'gallery.png', 'energy.svg']) {
        const [a, b] = [out, inFolder('one')].map((at) => readFileSync(join(at, name)));
        expect(a?.equals(b as Buffer), name).toBe(true);
      }
    },
  );

  it('refuses what is missing, unfinished, of other settings or of several divisions, by name', async () => {
    const out = inFolder('refused');
    const merging = (): Promise<string> => mergeShards(out, noGallery);
    await expect(merging()).rejects.toThrow(/refused has no shards: run each with --out/);
    fillShard(out, 2, 4);
    await expect(merging()).rejects.toThrow(/lacks shards 1\/4, 3\/4, 4\/4: run what is missing/);
    for (const number of [1, 3, 4]) fillShard(out, number, 4);
    fillShard(out, 1, 3);
    await expect(merging()).rejects.toThrow(/shards of [34] and of [34]: take the folders of one/);
    rmSync(shardFolder(out, { number: 1, of: 3 }), { recursive: true });
    openShard(out, 3, 4, true, { model: 'b' });
    await expect(merging()).rejects.toThrow(
      /model was "a", is "b" in shard 3\/4, unlike in the first/,
    );
    const list = subjects.map((one, i) => (i === 7 ? { ...one, name: 'other.png' } : one));
    const shard = { number: 3, of: 4 };
    Store.open(shardFolder(out, shard), settingsOfShard(settings, shard, counts, list), true);
    await expect(merging()).rejects.toThrow(
      /imagesAndBoxesSha256 was "\w{64}", is "\w{64}" in shard 3/,
    );
    const store = openShard(out, 3, 4, true);
    await expect(merging()).rejects.toThrow(/Not finished: shard 3\/4/);
    fill(store, ['2.png', '6.png', '10.png', '14.png']);
    await expect(merging()).rejects.toThrow(/Not finished: shard 3\/4/);
    expect(existsSync(join(out, 'table.csv'))).toBe(false);
  });
});

const evaluate = (args: readonly string[], how?: How): Promise<Finished> =>
  runScript('cli/evaluate.ts', args, { cwd: folder, ...how });

/** Of the longer runs, in milliseconds: they start a browser for each shard. */
const SLOW = 3_600_000;
const runsSlow = process.env.SCORE_CAM_SLOW === '1';

/** Kills it in the middle: a quarter is through. */
const killed: How = {
  onStderr: (child, text) => /passes: (?!0 )/.test(text) && child.kill('SIGKILL'),
};

const mapsOf = (out: string): string[] =>
  readFileSync(join(out, 'maps.jsonl'), 'utf8').split('\n').filter(Boolean);

/** A folder of images for the toy model, and COCO's boxes for them. */
function writeImages(count: number): { images: string; boxes: string } {
  const [images, boxes] = [inFolder(`images ${count}`), inFolder(`boxes ${count}.json`)];
  mkdirSync(images);
  const names = Array.from({ length: count }, (_, i) => `${i + 100}.png`);
  for (const [i, name] of names.entries())
    writeFileSync(join(images, name), redAndBlue(2 + (i % 5)));
  const annotations = names.slice(1).flatMap((_, i) => {
    const red = 2 + ((i + 1) % 5);
    return [
      { image_id: i + 1, category_id: 1, bbox: [0, 0, red, 8], iscrowd: 0 },
      { image_id: i + 1, category_id: 2, bbox: [red, 0, 8 - red, 8], iscrowd: 0 },
      { image_id: i + 1, category_id: 3, bbox: [0, 0, 1, 1], iscrowd: 0 },
    ];
  });
  const categories = ['red', 'blue', 'zebra'].map((name, i) => ({ id: i + 1, name }));
  const coco = {
    images: names.map((file_name, id) => ({ id, file_name })),
    annotations,
    categories,
  };
  writeFileSync(boxes, JSON.stringify(coco));
  return { images, boxes };
}

const METHODS = ['--methods', 'score-cam, score-cam:increase, grad-cam'];
const QUICK = ['--curves', '2', '--steps', '2', '--adcc', '1', '--sanity', '1', '--pictures', '0'];

describe('npm run evaluate -- --shard', () => {
  it.skipIf(!runsSlow)(
    'comes to the same from one run and from shards, one killed and one stopped in an image',
    async () => {
      const model = writeToyModel(inFolder('toy'));
      const { images, boxes } = writeImages(9);
      const args = ['--model', model, '--images', images, '--boxes', boxes, ...METHODS, ...QUICK];
      const whole = await evaluate([...args, '--out', 'whole']);
      expect(whole).toMatchObject({ code: 0 });
      expect(whole.stderr).toContain('the model has no class "zebra" (8 boxes); left out.\n');
      expect(mapsOf(inFolder('whole'))).toHaveLength(9 * 3);

      const shard = (text: string, how?: How): Promise<Finished> =>
        evaluate([...args, '--shard', text, '--out', 'parts'], how);
      const first = inFolder('parts', 'shard-1-of-2');
      expect(await shard('1/2', killed)).toMatchObject({ code: null });
      const before = mapsOf(first).length;
      expect(before).toBeGreaterThan(0);
      expect(before).toBeLessThan(5 * 3);
      // Of the other's first image one method is there, with which the others are compared.
      const second = inFolder('parts', 'shard-2-of-2');
      mkdirSync(second);
      const line = mapsOf(inFolder('whole')).find((one) => one.includes('"101.png"')) as string;
      expect(line).toContain('"method":"score-cam"');
      writeFileSync(join(second, 'maps.jsonl'), `${line}\n${line.slice(0, 99)}`);

      const runs = [await shard('1/2'), await shard('2/2')];
      expect(runs.map(({ code }) => code)).toEqual([0, 0]);
      expect(runs[1]?.stdout).toContain('--merge --out parts');
      expect([mapsOf(first).length, mapsOf(second).length]).toEqual([5 * 3, 4 * 3]);
      const merged = await evaluate(['--merge', '--out', 'parts']);
      expect(merged).toMatchObject({ code: 0, stderr: '' });
      expect(merged.stdout).toContain('toy, 9 images, 17 maps a method');
      expect(timeless(inFolder('parts'))).toEqual(timeless(inFolder('whole')));
      const done = await shard('2/2', { env: { CHROME_PATH: process.execPath } });
      expect(done).toMatchObject({ code: 0, stdout: runs[1]?.stdout });
    },
    SLOW,
  );

  it.skipIf(!runsSlow)(
    'comes to the same from 1 and from 16 shards of scenes, by the embedded model (SCORE_CAM_SLOW=1)',
    async () => {
      const args = ['--limit', '24', '--methods', 'grad-cam, faster-score-cam'];
      args.push('--curves', '1', '--steps', '4');
      args.push('--adcc', '1', '--sanity', '1', '--pictures', '2');
      expect(await evaluate([...args, '--out', 'scenes'])).toMatchObject({ code: 0 });
      for (let number = 1; number <= 16; number++) {
        const own = [...args, '--shard', `${number}/16`, '--out', 'sixteen'];
        if (number === 2) {
          expect(await evaluate(own, killed)).toMatchObject({ code: null });
          expect(mapsOf(inFolder('sixteen', 'shard-2-of-16')).length).toBeLessThan(2 * 2);
        }
        expect(await evaluate(own)).toMatchObject({ code: 0 });
      }
      expect(await evaluate(['--merge', '--out', 'sixteen'])).toMatchObject({ code: 0 });
      expect(timeless(inFolder('sixteen'))).toEqual(timeless(inFolder('scenes')));
      const galleries = ['scenes', 'sixteen'].map((out) =>
        readFileSync(inFolder(out, 'gallery.png')),
      );
      expect(galleries[0]?.equals(galleries[1] as Buffer)).toBe(true);
      console.log(readFileSync(inFolder('sixteen', 'table.csv'), 'utf8'));
    },
    SLOW,
  );
});

/** Of 1.29 or later, whose Jobs have what the manifests ask for. */
const noKubectl = kubectlLacks();
if (noKubectl) console.log(`Manifests are not read by kubectl: ${noKubectl}.`);

function kubectlLacks(): string | undefined {
  let version: string;
  try {
    version = execFileSync('kubectl', ['version', '--client', '-o', 'json'], {
      encoding: 'utf8',
      stdio: 'pipe',
    });
  } catch {
    return 'it is not installed';
  }
  const { major, minor, gitVersion } = JSON.parse(version).clientVersion;
  return Number(major) === 1 && Number.parseInt(minor, 10) < 29 ? `it is ${gitVersion}` : undefined;
}

describe('on Kubernetes', () => {
  const textOf = (name: string): string =>
    readFileSync(join(projectRoot, 'scripts/clusters', name), 'utf8');
  const read = (name: string): Job => parse(textOf(name)) as Job;
  const files = ['kubernetes.yaml', 'kubernetes-merge.yaml'];

  it('the manifests are Jobs by the types of its API, which has no other fields', () => {
    const changed = (changes: object): object => {
      const job = read('kubernetes.yaml');
      return { ...job, spec: { ...job.spec, ...changes } };
    };
    // The last two are none: what finds nothing wrong would be no check.
    const wrong = [changed({ completionsMode: 'Indexed' }), changed({ completions: '16' })];
    expect(complaints([...files.map(read), ...wrong])).toEqual([
      expect.stringContaining("'\"completionsMode\"' does not exist in type 'JobSpec'"),
      "Type 'string' is not assignable to type 'number'.",
    ]);
  });

  it.skipIf(noKubectl)('kubectl reads both whole, without a cluster', () => {
    const path = inFolder('manifest.yaml');
    const asRead = (text: string): unknown => {
      writeFileSync(path, text);
      // All that kubectl does with a Job without asking a server: what it does not know is dropped.
      const args = ['set', 'env', '--local', '-f', path, 'ANY=thing', '-o', 'json'];
      return JSON.parse(execFileSync('kubectl', args, { encoding: 'utf8', stdio: 'pipe' }));
    };
    for (const text of files.map(textOf)) expect(asRead(text)).toMatchObject(parse(text));
    const text = textOf('kubernetes.yaml');
    const unknown = text.replace('completionMode:', 'completionsMode:');
    expect(asRead(unknown)).not.toMatchObject(parse(unknown));
    expect(() => asRead(text.replace('completions: 16', "completions: '16'"))).toThrow(
      'cannot unmarshal string',
    );
  });

  it('each pod runs its own shard of as many as the Job completes', () => {
    const { spec } = read('kubernetes.yaml');
    const [container] = spec?.template.spec?.containers ?? [];
    expect(spec?.completionMode).toBe('Indexed');
    const completions = spec?.completions as number;
    const [program, ...args] = [...(container?.command ?? []), ...(container?.args ?? [])];
    // What npm would run is printed instead.
    const shell = `npm() { echo "$@"; }; ${args.at(-1)?.replace(/^exec /, '')}`;
    const shards = Array.from({ length: completions }, (_, i) => {
      const env = { ...process.env, JOB_COMPLETION_INDEX: String(i) };
      const said = execFileSync(program as string, ['-c', shell], { env, encoding: 'utf8' });
      return / --shard (\S+) /.exec(said)?.[1];
    });
    expect(shards).toEqual(
      Array.from({ length: completions }, (_, i) => `${i + 1}/${completions}`),
    );
    const merge = read('kubernetes-merge.yaml').spec?.template.spec?.containers[0];
    const outOf = (words: readonly string[] = []) => / --out (\S+)/.exec(words.join(' '))?.[1];
    expect(outOf(merge?.args)).toBe(outOf(container?.args));
    expect(merge?.image).toBe(container?.image);
  });
});

/** What TypeScript has against these as Jobs. */
function complaints(jobs: readonly object[]): string[] {
  const path = join(projectRoot, 'test', 'job-of-a-manifest.ts');
  const lines = jobs.map((job, i) => `const job${i}: Job = ${JSON.stringify(job)};`);
  const text = `import type { Job } from 'kubernetes-types/batch/v1';\n${lines.join('\n')}\nexport {};`;
  const options: ts.CompilerOptions = {
    strict: true,
    noEmit: true,
    types: [],
    lib: ['lib.es2022.d.ts'],
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
  };
  const host = ts.createCompilerHost(options);
  const { getSourceFile } = host;
  host.getSourceFile = (name, version, ...rest) =>
    name === path
      ? ts.createSourceFile(name, text, version)
      : getSourceFile.call(host, name, version, ...rest);
  const program = ts.createProgram([path], options, host);
  return program
    .getSemanticDiagnostics(program.getSourceFile(path))
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
}

const lacking = runsSlow ? slurmLacks() : 'only with SCORE_CAM_SLOW=1, since it takes minutes';

describe('on Slurm', () => {
  it.skipIf(lacking !== undefined)(
    `an array of shards, one of them killed and run again, gives the same table${lacking ? ` (skipped: ${lacking})` : ''}`,
    async ({ signal }) => {
      const model = writeToyModel(inFolder('toy'));
      const { images, boxes } = writeImages(24);
      const args = ['--model', model, '--images', images, '--boxes', boxes, ...METHODS, ...QUICK];
      expect(await evaluate([...args, '--out', 'unsharded'])).toMatchObject({ code: 0 });

      const slurm = await Slurm.start(inFolder('slurm'));
      const seen = new Set<string>();
      try {
        const script = join(projectRoot, 'scripts/clusters/slurm.sh');
        const out = inFolder('on slurm');
        const said = execFileSync(script, ['4', out, ...args], {
          env: slurm.env,
          cwd: folder,
          encoding: 'utf8',
        });
        console.log(said.replaceAll(folder, 'FOLDER').trim());
        const [, array, merge] = /^Job (\d+) has 4 shards, job (\d+) merges/.exec(said) ?? [];
        const look = (): string[] => {
          const jobs = slurm.jobs();
          for (const job of jobs) if (!seen.has(job)) console.log(job);
          for (const job of jobs) seen.add(job);
          return jobs;
        };
        const maps = join(out, 'shard-2-of-4', 'maps.jsonl');
        while (!existsSync(maps)) {
          signal.throwIfAborted();
          look();
          await sleep(50);
        }
        slurm.run('scontrol', 'requeue', `${array}_2`);
        console.log(`requeued ${array}_2`);
        while (!look().includes(`${merge} COMPLETED`)) {
          signal.throwIfAborted();
          expect(look().filter((job) => / (FAILED|CANCELLED|TIMEOUT)/.test(job))).toEqual([]);
          await sleep(500);
        }
        // It was killed in the middle, and started anew.
        expect(slurm.run('scontrol', 'show', 'job', `${array}_2`)).toContain('Restarts=1');
        expect(timeless(out)).toEqual(timeless(inFolder('unsharded')));
        console.log(readFileSync(join(out, 'table.csv'), 'utf8'));
        console.log(
          readdirSync(out)
            .filter((name) => name.endsWith('.log'))
            .join(' '),
        );
      } finally {
        await slurm.stop();
      }
    },
    SLOW,
  );
});
