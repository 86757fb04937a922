import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { projectRoot } from '../../cli/server';

/** What a process of cases.ts is to do. */
export interface Request {
  /** All of them unless given. */
  readonly target?: string | undefined;
  readonly seed: number;
  /** Over all targets, by their weights. */
  readonly cases: number;
  /** One case alone, as {@link Found} says it. */
  readonly path?: string | undefined;
  /** Where it says how far it is and what it found. */
  readonly folder: string;
}

/** A case that is neither answered nor refused as it should be. */
export interface Found {
  readonly target: string;
  readonly seed: number;
  /** fast-check's, of the smallest case where there was time to look for it. */
  readonly path: string;
  /** How fast-check writes it, or what there is to say of it. */
  readonly input: string;
  readonly error: string;
  /** The file that it was given, if it was one. */
  readonly file?: Uint8Array | undefined;
}

/** Megabytes of JavaScript's heap. */
const HEAP = 256;

/** Milliseconds after which a case counts as hanging; the slowest takes half a second. */
const PATIENCE = 60_000;

export interface Outcome {
  readonly cases: number;
  readonly found: Found | undefined;
}

/** Runs cases in a process with a small heap, and ends it where a case hangs. */
export async function watchCases(
  asked: Omit<Request, 'folder'>,
  signal?: AbortSignal,
): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), 'score-cam-fuzz-'));
  const read = (name: string): string | undefined => {
    try {
      return readFileSync(join(folder, name), 'utf8');
    } catch {
      return undefined;
    }
  };
  try {
    const request: Request = { ...asked, folder };
    const loader = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
    const child = spawn(
      process.execPath,
      [
        `--max-old-space-size=${HEAP}`,
        '--import',
        loader,
        join(projectRoot, 'test/fuzz/cases.ts'),
        JSON.stringify(request),
      ],
      {
        env: { ...process.env, TSX_TSCONFIG_PATH: join(projectRoot, 'tsconfig.json') },
        stdio: ['ignore', 'ignore', 'pipe'],
      },
    );
    let stderr = '';
    child.stderr.on('data', (chunk) => {
      stderr = `${stderr}${chunk}`.slice(-4000);
    });
    let hangs = false;
    let latest: string | undefined;
    let since = performance.now();
    const watch = setInterval(() => {
      const now = read('progress');
      if (now !== latest) since = performance.now();
      latest = now;
      hangs = performance.now() - since > PATIENCE;
      if (hangs || signal?.aborted) child.kill('SIGKILL');
    }, 500);
    const ended = await new Promise<string>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, killed) => resolve(killed ?? `exit code ${code}`));
    }).finally(() => clearInterval(watch));
    signal?.throwIfAborted();

    const at = JSON.parse(read('progress') || '{"done":-1}');
    const cases = at.done + 1;
    const found = read('found.json');
    if (found !== undefined) {
      const file =
        read('input.bin') === undefined ? undefined : readFileSync(join(folder, 'input.bin'));
      return { cases, found: { ...JSON.parse(found), file } };
    }
    if (ended === 'exit code 0') return { cases, found: undefined };
    const error = hangs
      ? `hangs: nothing for ${PATIENCE / 1000} s`
      : `ended by ${ended}: ${stderr}`;
    if (cases === 0) throw new Error(`The cases did not begin: ${error}`);
    return { cases, found: { ...at, input: '(not shrunk: it took the process with it)', error } };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** For people: what was found and how to see it again. */
export function described({ target, seed, path, input, error }: Found): string {
  return [
    `${target} fails for ${input}`,
    error,
    `Again: npm run fuzz -- --target ${target} --seed ${seed} --path ${path}`,
  ].join('\n');
}
