import type { Browser } from 'puppeteer';
import { findFirefox, SetupError } from '../../scripts/browser.mjs';
import { launched } from './launched';

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
 * session a browser: nobody else can connect to it. It ends with this process, however that ends. Whoever handles
 * signals and closes the browser itself passes `handleSignals: false`.
 * @throws SetupError where there is none, or where it does not start
 */
export async function launchFirefox({ handleSignals = true } = {}): Promise<Browser> {
  const executablePath = findFirefox();
  if (!executablePath) {
    throw new SetupError('No Firefox found: install one, or set FIREFOX_PATH to it.');
  }
  return launched(executablePath, handleSignals, 'set FIREFOX_PATH to a Firefox that does', {
    browser: 'firefox',
    extraPrefsFirefox: PREFERENCES,
  });
}
