/** A scene as files and tables call it, in the page and outside of it. */
export function sceneName(seed: number): string {
  return `scene ${seed}`;
}
