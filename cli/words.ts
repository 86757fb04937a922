/** Figures and facts as people read them. */

/** A share from 0 to 1. */
export function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
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

/** Today's date, such as `2026-11-24`. */
export function today(): string {
  return new Date().toISOString().slice(0, 10);
}
