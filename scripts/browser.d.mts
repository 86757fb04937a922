/** A failure that one line explains. */
export class SetupError extends Error {}

/** Path of a Chrome or Chromium that runs, or undefined; throws if CHROME_PATH is no executable. */
export function findBrowser(): string | undefined;
