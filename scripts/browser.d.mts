/** Path of a Chrome or Chromium, or undefined; throws if CHROME_PATH is no executable. */
export function findBrowser(): string | undefined;
export function canUseApt(): boolean;
