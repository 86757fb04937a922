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
  | 'disposed'
  | 'worker';

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

/** At most {@link LONGEST_MESSAGE} characters of it: long words and quotes lose their middle first, so that sentences stay. */
export function shortened(message: string): string {
  if (message.length <= LONGEST_MESSAGE) return message;
  return cut(
    message.replace(/"[^"]*"|[^\s"]+/g, (part) => cut(part, 120)),
    LONGEST_MESSAGE,
  );
}

/** Without its middle. */
function cut(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most / 2)}...${text.slice(3 - most / 2)}` : text;
}

/** A value that was found where it should not be, for a message; where it cannot be written, what it is. */
export function shown(value: unknown): string {
  try {
    return cut(JSON.stringify(value) ?? 'missing', 80);
  } catch {
    return `an unprintable ${typeof value}`;
  }
}
