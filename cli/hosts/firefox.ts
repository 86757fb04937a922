import type { Browser } from 'puppeteer';
import { findFirefox, SetupError } from '../../scripts/browser.mjs';
import { ownFolder } from './own-folder';

/**
 * Preferences with which headless Firefox offers WebGPU on Linux too, where it is not on by default, and on software
 * adapters such as Mesa's lavapipe, which are blocked otherwise.
 */
const PREFERENCES = {
  'dom.webgpu.enabled': true,
  'gfx.webgpu.ignore-blocklist': true,
};

/**
 * Launches headless Firefox with a fresh profile and WebGPU switched on. It is driven by WebDriver BiDi, which knows one
 * session a browser: nobody else can connect to it. It ends with this process, however that ends. Whoever handles signals and closes the browser itself passes
 * `handleSignals: false`.
 * @throws SetupError where there is none, or where it does not start
 */
export async function launchFirefox({ handleSignals = true } = {}): Promise<Browser> {
  const executablePath = findFirefox();
  if (!executablePath) {
    throw new SetupError('No Firefox found: install one, or set FIREFOX_PATH to it.');
  }
  const { default: puppeteer } = await import('puppeteer');
  const folder = ownFolder();
  try {
    const browser = await puppeteer.launch({
      browser: 'firefox',
      executablePath,
      headless: true,
      userDataDir: folder.path,
      env: { ...process.env, TMPDIR: folder.path },
      protocolTimeout: 0,
      handleSIGINT: handleSignals,
      handleSIGTERM: handleSignals,
      handleSIGHUP: handleSignals,
      extraPrefsFirefox: PREFERENCES,
    });
    browser.process()?.once('exit', () => folder.remove());
    return browser;
  } catch (cause) {
    folder.remove();
    throw new SetupError(
      `The browser ${executablePath} did not start: set FIREFOX_PATH to a Firefox that does. ` +
        `It says: ${String(cause).slice(0, 400)}`,
      { cause },
    );
  }
}
