/** What the lock files let onto a machine: known by content, from the public registry, and running nothing unasked. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { projectRoot } from '../cli/server';

interface Entry {
  readonly name?: string;
  readonly dev?: boolean;
  readonly link?: boolean;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly hasInstallScript?: boolean;
}

const entriesOf = (path: string): [string, Entry][] => {
  const { packages } = JSON.parse(readFileSync(join(projectRoot, path), 'utf8')) as {
    packages: Record<string, Entry>;
  };
  return Object.entries(packages).filter(([place]) => place !== '');
};

const REGISTRY = 'https://registry.npmjs.org/';

/** Packages whose installation runs a script, and what for. */
const SCRIPTS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'package-lock.json': {
    esbuild: 'puts the binary of its platform package in the place of a slower starter',
    'rs-module-lexer':
      'compiles itself where there is no binary of its platform; of the analyzer of custom elements',
    puppeteer: 'downloads a browser, which the start script does itself where none is there',
  },
  'bench/package-lock.json': {
    deno: 'puts the binary of its platform package in the place of a slower starter',
    koffi: 'compiles itself where there is no binary of its platform',
    protobufjs: 'warns about versions of its dependents',
    webgpu: "on macOS, takes the mark of a download off Dawn's library",
  },
};

describe.each(Object.keys(SCRIPTS))('%s', (path) => {
  const entries = entriesOf(path);

  it('runs scripts of the packages that are known to need them, and of no other', () => {
    const running = entries.filter(([, { hasInstallScript }]) => hasInstallScript);
    const names = running.map(([place]) => place.split('node_modules/').at(-1));
    expect([...new Set(names)].sort()).toEqual(Object.keys(SCRIPTS[path] ?? {}).sort());
  });

  it('names each package by its content, and no place but the public registry', () => {
    expect(entries.length).toBeGreaterThan(5);
    const wrong = entries.filter(
      ([, { integrity, link, resolved }]) =>
        link ||
        !/^sha512-[A-Za-z0-9+/]{86}==$/.test(integrity ?? '') ||
        (resolved !== undefined && !resolved.startsWith(REGISTRY)),
    );
    expect(wrong).toEqual([]);
  });

  it('holds nothing that a user of the package gets: `npm audit --omit=dev` has nothing to look at', () => {
    expect(entries.filter(([, { dev }]) => dev !== true)).toEqual([]);
  });
});
