/** Light or dark: the system's, until the visitor chooses; a choice is the visitor's, and no part of a link. */
const KEY = 'score-cam-scheme';

type Scheme = 'light' | 'dark';

function kept(): Scheme | undefined {
  try {
    const value = localStorage.getItem(KEY);
    return value === 'light' || value === 'dark' ? value : undefined;
  } catch {
    // A browser that keeps nothing.
    return undefined;
  }
}

/** Shows the page as was chosen before. */
export function applyScheme(scheme: Scheme | undefined = kept()): void {
  if (scheme) document.documentElement.dataset.scheme = scheme;
}

export function isDark(): boolean {
  const { scheme } = document.documentElement.dataset;
  return scheme ? scheme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
}

export function chooseScheme(scheme: Scheme): void {
  applyScheme(scheme);
  try {
    localStorage.setItem(KEY, scheme);
  } catch {
    // For this visit, then.
  }
}
