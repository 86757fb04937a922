// What the start script decides, as pure functions; scripts/main.mjs does what they say.

/** The commands. `steps` lists programs to run in order; `cwd` is where relative arguments point. */
const COMMANDS = {
  explain: {
    browser: (args) => /^(chrome)?$/.test(optionIn('--runtime', args)),
    cwd: 'caller',
    steps: (args) => [script('cli/explain.ts', args)],
  },
  bench: { browser: true, cwd: 'caller', steps: (args) => [script('bench/bench.ts', args)] },
  evaluate: { browser: true, cwd: 'caller', steps: (args) => [script('cli/evaluate.ts', args)] },
  'check-model': {
    browser: true,
    cwd: 'caller',
    steps: (args) => [script('cli/check-model.ts', args)],
  },
  weights: { browser: false, cwd: 'caller', steps: (args) => [script('cli/weights.ts', args)] },
  demo: { browser: false, cwd: 'project', steps: (args) => [script('cli/demo.ts', args)] },
  test: {
    browser: true,
    cwd: 'project',
    steps: (args) => [vitest(vitestReporters(args), args)],
  },
  'test:everywhere': {
    browser: true,
    cwd: 'project',
    // What is too large for everybody's node_modules.
    packages: 'bench',
    env: { SCORE_CAM_EVERYWHERE: '1' },
    steps: (args) => [
      vitest([...vitestReporters(args), '--reporter=./test/harness/table-reporter.ts'], args),
    ],
  },
  fuzz: { browser: false, cwd: 'project', steps: (args) => [script('test/fuzz/fuzz.ts', args)] },
  soak: {
    browser: true,
    cwd: 'project',
    env: { SCORE_CAM_SLOW: '1' },
    steps: (args) => [
      vitest(vitestReporters(args), ['--project', 'node', 'test/soak.test.ts', ...args]),
    ],
  },
  build: { browser: false, cwd: 'project', steps: (args) => [script('cli/build.ts', args)] },
  'build:site': { browser: false, cwd: 'caller', steps: (args) => [script('cli/site.ts', args)] },
};

/** What follows an option on the command line, or ''. */
const optionIn = (option, args) =>
  args
    .findLast((arg, i) => args[i - 1] === option || arg.startsWith(`${option}=`))
    ?.replace(`${option}=`, '') ?? '';

const script = (file, args) => ({ kind: 'script', file, args });
const bin = (name, program, args) => ({ kind: 'bin', package: name, program, args });

const vitest = (reporters, args) => bin('vitest', 'vitest', ['run', ...reporters, ...args]);

/**
 * What the command needs and runs, or undefined if there is no such command. `packages` is a folder whose packages
 * it can use, `env` what it sees of an environment of its own.
 */
export function planOf(command, args) {
  const found = Object.hasOwn(COMMANDS, command) ? COMMANDS[command] : undefined;
  if (!found) return undefined;
  const { browser, steps } = found;
  return {
    ...found,
    browser: typeof browser === 'function' ? browser(args) : browser,
    steps: steps(args),
  };
}

export const commandNames = Object.keys(COMMANDS);

/** The counting reporter always; the default one unless the caller chose another. */
function vitestReporters(args) {
  const chosen = args.some((arg) => arg === '--reporter' || arg.startsWith('--reporter='));
  return [
    ...(chosen ? [] : ['--reporter=default']),
    '--reporter=./test/harness/summary-reporter.ts',
  ];
}

/**
 * True if node_modules holds just what the lock file asks for. `lock` is package-lock.json, `installed`
 * npm's own record node_modules/.package-lock.json, which npm writes when an install is complete;
 * undefined where it is absent. Packages for other platforms may be missing.
 */
export function packagesMatch(lock, installed) {
  if (!installed) return false;
  const wanted = Object.entries(lock.packages).filter(([path]) => path !== '');
  const present = installed.packages;
  const same = ([path, { version, integrity, optional }]) =>
    path in present
      ? present[path].version === version && present[path].integrity === integrity
      : optional === true;
  return wanted.every(same) && Object.keys(present).every((path) => path in lock.packages);
}

/**
 * How to get a browser, in the order to try. Debian's Chromium brings the system libraries that
 * puppeteer's download lacks there; Ubuntu's package is only a stub for a snap, so it comes last.
 */
export function browserSources({ platform, isRoot, osRelease }) {
  const value = (name) => new RegExp(`^${name}="?([^"\n]*)"?$`, 'm').exec(osRelease)?.[1] ?? '';
  const family = `${value('ID')} ${value('ID_LIKE')}`.split(' ');
  if (platform !== 'linux' || !isRoot || !family.some((id) => id === 'debian' || id === 'ubuntu')) {
    return ['download'];
  }
  return value('ID') === 'ubuntu' ? ['download-with-libraries', 'apt'] : ['apt', 'download'];
}

export const NO_BROWSER =
  'No Chrome or Chromium that runs was found, and none could be installed: install Chrome ' +
  '(https://www.google.com/chrome, on Debian "apt-get install chromium"), or set CHROME_PATH to one.';

/**
 * The last line of a test run, and its exit code. `counts` is what the reporter wrote, undefined if the
 * run ended before it could: that is a failure, and so is a run of no test.
 */
export function testOutcome(counts, exitCode) {
  const { passed, failed, skipped } = counts ?? { passed: 0, failed: 1, skipped: 0 };
  const line = `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
  return { line, code: exitCode === 0 && (failed > 0 || passed === 0) ? 1 : exitCode };
}
