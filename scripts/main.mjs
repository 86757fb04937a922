// Set-up and start of a command. Everything said here goes to stderr: stdout belongs to the command.
import { spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { findBrowser, SetupError } from './browser.mjs';
import {
  browserSources,
  commandNames,
  NO_BROWSER,
  packagesMatch,
  planOf,
  testOutcome,
} from './decisions.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const require = createRequire(import.meta.url);
const say = (text) => console.error(text);

/** A program that ended by a signal: this process is to end the same way. */
class Signalled extends Error {
  constructor(signal) {
    super(signal);
    this.signal = signal;
  }
}

/**
 * Runs a program to its end and gives its exit code. Signals sent to this process are passed on; what
 * the program makes of one counts, except in the set-up, which stops there.
 */
async function run(file, args, { setup = false, ...options }) {
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  const child = spawn(file, args, options);
  let received;
  const passOn = (signal) => {
    received = signal;
    // On Windows the console itself tells the child, and kill() would end it without notice.
    if (process.platform !== 'win32') child.kill(signal);
  };
  for (const signal of signals) process.on(signal, passOn);
  try {
    const [code, signal] = await new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (...result) => resolve(result));
    });
    if (signal) throw new Signalled(signal);
    if (received && setup) throw new Signalled(received);
    return code;
  } finally {
    for (const signal of signals) process.removeListener(signal, passOn);
  }
}

/** Runs a step of the set-up without stdin. Its output appears only if it fails. */
async function setUp(file, args, options = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'score-cam-setup-'));
  const path = join(folder, 'log');
  const log = openSync(path, 'w');
  try {
    const stdio = ['ignore', log, log];
    const code = await run(file, args, { cwd: root, stdio, setup: true, ...options });
    if (code !== 0) process.stderr.write(readFileSync(path));
    return code === 0;
  } catch (error) {
    if (error instanceof Signalled) throw error;
    say(`${file}: ${error.message}`);
    return false;
  } finally {
    closeSync(log);
    rmSync(folder, { recursive: true, force: true });
  }
}

function readJson(path) {
  try {
    return JSON.parse(readFileSync(join(root, path), 'utf8'));
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw new SetupError(`${path} cannot be read: ${error.message}`);
  }
}

/**
 * Installs what a folder's lock file asks for, unless it is there. `what` says which packages these are.
 * bench/peers/install.ts calls it for its own.
 */
export async function installPackages(folder = '.', what = 'packages') {
  const lock = readJson(join(folder, 'package-lock.json'));
  if (packagesMatch(lock, readJson(join(folder, 'node_modules/.package-lock.json')))) return;
  say(`Installing ${what} (npm ci) ...`);
  // Development packages are what runs the commands, whatever NODE_ENV says.
  const args = ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'];
  // Under `npm run` that npm's own script is known, which saves a shell on Windows.
  const npm = process.env.npm_execpath;
  const cwd = join(root, folder);
  const done = npm?.endsWith('npm-cli.js')
    ? await setUp(process.execPath, [npm, ...args], { cwd })
    : await setUp('npm', args, { cwd, shell: process.platform === 'win32' });
  if (!done) throw new SetupError('The packages could not be installed: see the lines above.');
}

async function installBrowser() {
  const isRoot = process.getuid?.() === 0;
  let osRelease = '';
  try {
    osRelease = readFileSync('/etc/os-release', 'utf8');
  } catch {
    // Not a Linux, or one that does not say which.
  }
  const download = (...args) =>
    setUp(process.execPath, [
      binOf('puppeteer', 'puppeteer'),
      'browsers',
      'install',
      'chrome',
      ...args,
    ]);
  const aptGet = (...args) =>
    setUp('apt-get', args, { env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } });
  const sources = {
    apt: async () => {
      say('Installing Chromium (apt-get install chromium) ...');
      return (
        (await aptGet('update')) &&
        (await aptGet('install', '--yes', '--no-install-recommends', 'chromium'))
      );
    },
    download: () => {
      say('Downloading Chrome (puppeteer browsers install chrome) ...');
      return download();
    },
    'download-with-libraries': () => {
      say('Downloading Chrome and its libraries (puppeteer browsers install chrome) ...');
      return download('--install-deps');
    },
  };
  for (const source of browserSources({ platform: process.platform, isRoot, osRelease })) {
    await sources[source]();
    const browser = findBrowser();
    if (browser) return browser;
  }
  throw new SetupError(NO_BROWSER);
}

/** Path of a package's program, as its package.json gives it. */
function binOf(name, program) {
  const manifest = join(root, 'node_modules', name, 'package.json');
  const { bin } = require(manifest);
  return join(dirname(manifest), typeof bin === 'string' ? bin : bin[program]);
}

function nodeArguments(step) {
  if (step.kind === 'bin') return [binOf(step.package, step.program), ...step.args];
  // tsx as a loader: one process less to pass signals through.
  const loader = pathToFileURL(require.resolve('tsx')).href;
  return ['--import', loader, join(root, step.file), ...step.args];
}

function testCounts(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

/** What can do without says what it misses. */
function onlySaid(error) {
  if (!(error instanceof SetupError)) throw error;
  say(error.message);
}

async function start(command, args) {
  const plan = planOf(command, args);
  if (!plan) {
    throw new SetupError(`No command "${command ?? ''}": there are ${commandNames.join(', ')}.`);
  }
  await installPackages();
  if (plan.packages) await installPackages(plan.packages).catch(onlySaid);
  const env = { ...process.env, TSX_TSCONFIG_PATH: join(root, 'tsconfig.json'), ...plan.env };
  // Who launches it need not search again.
  if (plan.browser) env.CHROME_PATH = findBrowser() ?? (await installBrowser());
  // npm runs scripts in the project's folder and says in INIT_CWD where it was called.
  const cwd = plan.cwd === 'caller' ? (process.env.INIT_CWD ?? process.cwd()) : root;
  const runStep = (step) => {
    // By the channel a command hears of it when this process is killed (cli/errors.ts).
    const channel = step.kind === 'script' ? ['ipc'] : [];
    const stdio = ['inherit', 'inherit', 'inherit', ...channel];
    return run(process.execPath, nodeArguments(step), { cwd, env, stdio });
  };

  if (command.startsWith('test')) {
    const folder = mkdtempSync(join(tmpdir(), 'score-cam-test-'));
    try {
      env.SCORE_CAM_TEST_SUMMARY = join(folder, 'summary.json');
      const exitCode = await runStep(plan.steps[0]);
      const { line, code } = testOutcome(testCounts(env.SCORE_CAM_TEST_SUMMARY), exitCode);
      console.log(line);
      return code;
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
  for (const step of plan.steps) {
    const code = await runStep(step);
    if (code !== 0) return code;
  }
  return 0;
}

export async function main([command, ...args]) {
  try {
    process.exitCode = await start(command, args);
  } catch (error) {
    if (error instanceof Signalled) {
      process.kill(process.pid, error.signal);
      return;
    }
    say(error instanceof SetupError ? error.message : error.stack);
    process.exitCode = 1;
  }
}
