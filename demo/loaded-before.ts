/** Which networks the visitor has loaded here: those are loaded again without asking, most likely from what was kept. */
const KEY = 'score-cam-networks';

function names(): readonly string[] {
  try {
    return (localStorage.getItem(KEY) ?? '').split(' ').filter(Boolean);
  } catch {
    // A browser that keeps nothing.
    return [];
  }
}

export const wasLoaded = (name: string): boolean => names().includes(name);

export function rememberLoaded(name: string): void {
  try {
    localStorage.setItem(KEY, [...new Set([...names(), name])].join(' '));
  } catch {
    // Asked again next time.
  }
}

export function forgetLoaded(): void {
  try {
    localStorage.removeItem(KEY);
  } catch {
    // There is nothing, then.
  }
}
