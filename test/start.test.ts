/** What the start script decides; that it works in a fresh clone is what .ci/run shows. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { projectRoot } from '../cli/server';
import {
  browserSources,
  commandNames,
  type LockFile,
  packagesMatch,
  planOf,
  testOutcome,
} from '../scripts/decisions.mjs';
import { nodeProblem } from '../scripts/node-version.mjs';

const packageJson = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>;
};

describe('nodeProblem', () => {
  it.each(['20.19.0', '20.20.2', '22.12.0', '23.0.0', '24.1.0', '30.0.0'])(
    'takes %s',
    (version) => {
      expect(nodeProblem(version)).toBeUndefined();
    },
  );

  it.each(['12.22.0', '18.20.8', '20.18.3', '21.7.0', '22.11.0'])('refuses %s', (version) => {
    const problem = nodeProblem(version) ?? '';
    expect(problem).toContain(version);
    expect(problem).toContain('20.19');
    expect(problem).not.toContain('\n');
  });
});

describe('packagesMatch', () => {
  const lock: LockFile = {
    packages: {
      '': {},
      'node_modules/a': { version: '1.0.0', integrity: 'sha512-a' },
      'node_modules/b-windows': { version: '2.0.0', integrity: 'sha512-b', optional: true },
    },
  };
  const a = { version: '1.0.0', integrity: 'sha512-a' };

  it('accepts what npm installed, packages of other platforms missing', () => {
    expect(packagesMatch(lock, { packages: { 'node_modules/a': a } })).toBe(true);
  });

  it.each<[string, LockFile | undefined]>([
    ['nothing installed', undefined],
    ['a package missing', { packages: {} }],
    ['another version', { packages: { 'node_modules/a': { ...a, version: '1.0.1' } } }],
    ['other content', { packages: { 'node_modules/a': { ...a, integrity: 'sha512-x' } } }],
    ['a package too many', { packages: { 'node_modules/a': a, 'node_modules/c': a } }],
  ])('refuses %s', (_, installed) => {
    expect(packagesMatch(lock, installed)).toBe(false);
  });

  it('holds for this very installation', () => {
    const read = (path: string): LockFile =>
      JSON.parse(readFileSync(join(projectRoot, path), 'utf8')) as LockFile;
    const installed = read('node_modules/.package-lock.json');
    expect(packagesMatch(read('package-lock.json'), installed)).toBe(true);
  });

  it('has a lock file with every platform in it', () => {
    const { packages } = JSON.parse(
      readFileSync(join(projectRoot, 'package-lock.json'), 'utf8'),
    ) as { packages: Record<string, { optionalDependencies?: Record<string, string> }> };
    const missing = Object.values(packages)
      .flatMap(({ optionalDependencies }) => Object.keys(optionalDependencies ?? {}))
      .filter((name) => !(`node_modules/${name}` in packages));
    expect(missing).toEqual([]);
  });
});

describe('browserSources', () => {
  const debian = 'PRETTY_NAME="Debian"\nID=debian\nVERSION_ID="12"\n';
  const ubuntu = 'ID=ubuntu\nID_LIKE=debian\n';
  const mint = 'ID=linuxmint\nID_LIKE="ubuntu debian"\n';
  const fedora = 'ID=fedora\n';

  it.each([
    ['Debian as root', 'linux', true, debian, ['apt', 'download']],
    ['Debian as a user', 'linux', false, debian, ['download']],
    ['Ubuntu as root', 'linux', true, ubuntu, ['download-with-libraries', 'apt']],
    ['a system made from Debian, as root', 'linux', true, mint, ['apt', 'download']],
    ['another Linux as root', 'linux', true, fedora, ['download']],
    ['macOS', 'darwin', false, '', ['download']],
    ['Windows', 'win32', false, '', ['download']],
  ])('%s', (_, platform, isRoot, osRelease, expected) => {
    expect(browserSources({ platform, isRoot, osRelease })).toEqual(expected);
  });
});

describe('planOf', () => {
  it('knows every npm script that goes through the start script', () => {
    const started = Object.values(packageJson.scripts).flatMap(
      (text) => /^node scripts\/start\.mjs (\S+)$/.exec(text)?.[1] ?? [],
    );
    expect(started.sort()).toEqual([...commandNames].sort());
  });

  it('passes arguments on unchanged', () => {
    const args = ['my picture.png', '--class', '$HOME', '--', ''];
    expect(planOf('explain', args)?.steps[0]?.args).toEqual(args);
    expect(planOf('test', ['-t', 'a b'])?.steps[0]?.args.slice(-2)).toEqual(['-t', 'a b']);
  });

  it('counts tests whatever reporter is asked for', () => {
    const reporters = (...args: string[]): string[] =>
      planOf('test', args)?.steps[0]?.args.filter((arg) => arg.startsWith('--reporter')) ?? [];
    const counting = '--reporter=./test/harness/summary-reporter.ts';
    expect(reporters()).toEqual(['--reporter=default', counting]);
    expect(reporters('--reporter=verbose')).toEqual([counting, '--reporter=verbose']);
  });

  it('needs no browser to build', () => {
    expect(planOf('build', [])?.browser).toBe(false);
  });

  it.each(['', 'toString', 'nonsense'])('does not know "%s"', (command) => {
    expect(planOf(command, [])).toBeUndefined();
  });
});

describe('testOutcome', () => {
  it.each([
    [{ passed: 3, failed: 0, skipped: 0 }, 0, '3 passed, 0 failed', 0],
    [{ passed: 3, failed: 0, skipped: 2 }, 0, '3 passed, 0 failed, 2 skipped', 0],
    [{ passed: 3, failed: 1, skipped: 0 }, 1, '3 passed, 1 failed', 1],
    // What failed outside any test fails the run, even if the runner says otherwise.
    [{ passed: 3, failed: 1, skipped: 0 }, 0, '3 passed, 1 failed', 1],
    [{ passed: 0, failed: 0, skipped: 4 }, 0, '0 passed, 0 failed, 4 skipped', 1],
    [undefined, 0, '0 passed, 1 failed', 1],
    [undefined, 7, '0 passed, 1 failed', 7],
  ])('%o with exit code %i', (counts, exitCode, line, code) => {
    expect(testOutcome(counts, exitCode)).toEqual({ line, code });
  });
});

describe('the start script', () => {
  const start = (args: string[], env: NodeJS.ProcessEnv = {}) =>
    spawnSync(process.execPath, [join(projectRoot, 'scripts/start.mjs'), ...args], {
      encoding: 'utf8',
      env: { ...process.env, ...env },
    });

  it('refuses an unknown command in one line', () => {
    const { status, stdout, stderr } = start(['nonsense']);
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toMatch(/^No command "nonsense": there are .*\n$/);
  });

  it('refuses a CHROME_PATH that is no program in one line', () => {
    const { status, stdout, stderr } = start(['explain'], {
      CHROME_PATH: join(projectRoot, 'package.json'),
    });
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toMatch(/^CHROME_PATH is ".*package\.json", .*\n$/);
  });
});
