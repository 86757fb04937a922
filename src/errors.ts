/**
 * Every error the library throws on purpose. `code` is stable and meant for programs; the message
 * names the value, the limit and the remedy, and is meant for people.
 */
export type ScoreCamErrorCode =
  | 'no-webgpu'
  | 'no-adapter'
  | 'limit'
  | 'kernel'
  | 'device-lost'
  | 'out-of-memory'
  | 'manifest'
  | 'weights'
  | 'network'
  | 'image'
  | 'option'
  | 'not-finite'
  | 'disposed';

export class ScoreCamError extends Error {
  readonly code: ScoreCamErrorCode;

  constructor(code: ScoreCamErrorCode, message: string, options?: ErrorOptions) {
    super(shortened(message), options);
    this.name = 'ScoreCamError';
    this.code = code;
  }
}

/** Characters of an error's message: what a file or an address says may be of any length. */
export const LONGEST_MESSAGE = 500;

/** At most {@link LONGEST_MESSAGE} characters of it: long words lose their middle first, so that all sentences stay. */
export function shortened(message: string): string {
  let short = message;
  for (const most of [200, 100, 50, LONGEST_MESSAGE]) {
    if (short.length <= LONGEST_MESSAGE) return short;
    const parts = most < LONGEST_MESSAGE ? /[^\s"]+|"[^"]*"/g : /[\s\S]+/g;
    short = short.replace(parts, (part) => withoutMiddle(part, most));
  }
  return short;
}

function withoutMiddle(text: string, most: number): string {
  if (text.length <= most) return text;
  const end = Math.floor(most / 3);
  return `${text.slice(0, most - end - 3)}...${text.slice(-end)}`;
}

/** A value that was found where it should not be, for a message: never long, whatever it is. */
export function shown(value: unknown): string {
  if (value === undefined) return 'missing';
  if (typeof value === 'string') return JSON.stringify(withoutMiddle(value, 80));
  if (typeof value !== 'object' || !value) return String(value);
  if (!Array.isArray(value)) return 'an object';
  const isPlain = value.length < 5 && value.every((item) => typeof item !== 'object');
  return isPlain ? `[${value.map(shown)}]` : `a list of ${value.length}`;
}
