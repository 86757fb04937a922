import type { Browser, LaunchOptions } from 'puppeteer';
import { SetupError } from '../../scripts/browser.mjs';
import { ownFolder } from './own-folder';

/**
 * A headless browser with a fresh profile, in a folder that goes with it.
 * @param handleSignals whether puppeteer closes it at a signal
 * @throws SetupError with what it says and the remedy where it does not start
 */
export async function launched(
  executablePath: string,
  handleSignals: boolean,
  remedy: string,
  options: LaunchOptions,
): Promise<Browser> {
  // Loaded here, so that a mistake on the command line is told at once.
  const { default: puppeteer } = await import('puppeteer');
  const folder = ownFolder();
  try {
    const browser = await puppeteer.launch({
      executablePath,
      headless: true,
      userDataDir: folder.path,
      // For what it would leave beside its profile.
      env: { ...process.env, TMPDIR: folder.path },
      protocolTimeout: 0,
      handleSIGINT: handleSignals,
      handleSIGTERM: handleSignals,
      handleSIGHUP: handleSignals,
      ...options,
    });
    browser.process()?.once('exit', () => folder.remove());
    return browser;
  } catch (cause) {
    folder.remove();
    throw new SetupError(
      `The browser ${executablePath} did not start: ${remedy}. It says: ${String(cause).slice(0, 400)}`,
      { cause },
    );
  }
}
