// Finding browsers and other programs, without any dependency: used by the start script (before anything is
// installed) and by everything that launches a browser afterwards.
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readdirSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';

const onWindows = (path) =>
  ['PROGRAMFILES', 'PROGRAMFILES(X86)', 'LOCALAPPDATA']
    .map((name) => process.env[name])
    .filter((folder) => folder !== undefined)
    .map((folder) => join(folder, path));

const CHROME = {
  names: ['google-chrome', 'google-chrome-stable', 'chrome', 'chromium', 'chromium-browser'],
  darwin: [
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
    '/Applications/Chromium.app/Contents/MacOS/Chromium',
  ],
  win32: onWindows('Google/Chrome/Application/chrome.exe'),
};

const FIREFOX = {
  names: ['firefox', 'firefox-esr'],
  darwin: ['/Applications/Firefox.app/Contents/MacOS/firefox'],
  win32: onWindows('Mozilla Firefox/firefox.exe'),
};

/** A failure that one line explains. */
export class SetupError extends Error {}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** Chromes that `puppeteer browsers install chrome` has put into its cache. */
function puppeteerCache() {
  const cache = process.env.PUPPETEER_CACHE_DIR ?? join(homedir(), '.cache', 'puppeteer');
  const root = join(cache, 'chrome');
  if (!existsSync(root)) return [];
  const inside = {
    linux: ['chrome-linux64/chrome'],
    darwin: ['arm64', 'x64'].map(
      (cpu) =>
        `chrome-mac-${cpu}/Google Chrome for Testing.app/Contents/MacOS/Google Chrome for Testing`,
    ),
    win32: ['chrome-win64/chrome.exe', 'chrome-win32/chrome.exe'],
  }[process.platform];
  return readdirSync(root)
    .sort()
    .reverse()
    .flatMap((version) => (inside ?? []).map((path) => join(root, version, path)));
}

/**
 * True if the browser starts: Ubuntu's apt package is a stub that only asks for a snap, and puppeteer's
 * download lacks libraries on a bare system. On Windows `--version` would open a window instead.
 */
function runs(path) {
  if (process.platform === 'win32') return true;
  return spawnSync(path, ['--version'], { stdio: 'ignore', timeout: 30_000 }).status === 0;
}

/** Path of the first program on the PATH that has one of the names and runs, or undefined. */
export function findProgram(names) {
  const folders = (process.env.PATH ?? '').split(delimiter).filter(Boolean);
  const paths = folders.flatMap((folder) => names.map((name) => join(folder, name)));
  return firstThatRuns(paths);
}

const firstThatRuns = (paths) => paths.find((path) => isExecutable(path) && runs(path));

/** What a variable of the environment names. One that is no executable is an error: somebody meant something by it. */
function wished(variable) {
  const path = process.env[variable];
  if (!path || isExecutable(path)) return path || undefined;
  throw new SetupError(
    `${variable} is "${path}", which is not an executable file: correct it, or unset it.`,
  );
}

const find = ({ names, ...applications }, more = []) =>
  findProgram(names) ?? firstThatRuns([...(applications[process.platform] ?? []), ...more]);

/** Path of a Chrome or Chromium that runs, or undefined. CHROME_PATH wins. */
export function findBrowser() {
  return wished('CHROME_PATH') ?? find(CHROME, puppeteerCache());
}

/** Path of a Firefox that runs, or undefined. FIREFOX_PATH wins. */
export function findFirefox() {
  return wished('FIREFOX_PATH') ?? find(FIREFOX);
}
