/** Figures and facts as people read them. */

/** A share from 0 to 1. */
export function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

/** `1 image`, `2 images`. */
export function counted(count: number, one: string, several = `${one}s`): string {
  return `${count} ${count === 1 ? one : several}`;
}

/** `12 s`, `2 min 5 s`, `1 h 30 min`. */
export function duration(seconds: number): string {
  const whole = Math.ceil(seconds);
  const minutes = Math.floor(whole / 60);
  if (whole < 60) return `${whole} s`;
  return minutes < 60
    ? `${minutes} min ${whole % 60} s`
    : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/**
 * Text from elsewhere as a terminal may show it: characters that steer terminals or turn the direction of writing are
 * written like `\u001b`, which JSON reads as the same text. `lines` keeps line ends.
 */
export function printable(text: string, lines?: 'lines'): string {
  return text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu, (letter) =>
    letter === '\n' && lines ? letter : `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Today's date, such as `2026-11-24`. */
export function today(): string {
  return new Date().toISOString().slice(0, 10);
}
