/** A failure that one line explains. */
export class SetupError extends Error {}

/** Path of a Chrome or Chromium that runs, or undefined; throws if CHROME_PATH is no executable. */
export function findBrowser(): string | undefined;

/** Path of a Firefox that runs, or undefined; throws if FIREFOX_PATH is no executable. */
export function findFirefox(): string | undefined;

/** Path of the first program on the PATH that has one of the names and runs, or undefined. */
export function findProgram(names: readonly string[]): string | undefined;
