/*
 * What a process and whoever started it say to each other: JSON text sequences (RFC 7464), one text a line. Libraries
 * print to stdout past JavaScript, Dawn its warnings; what is in front of the separator, or lacks it, is such.
 */

export interface Call {
  readonly id: number;
  readonly name: string;
  readonly args: readonly unknown[];
}

export type Message =
  | { readonly id: number; readonly value?: unknown }
  | { readonly id: number; readonly error: string }
  | { readonly event: string; readonly value: unknown };

/** In no JSON text: there it is written as an escape. */
const SEPARATOR = '\u001e';

export const lineOf = (message: Message): string => `${SEPARATOR}${JSON.stringify(message)}\n`;

/** The message in a line of stdout, if any, and what somebody printed there. */
export function messageIn(line: string): { readonly message?: Message; readonly printed: string } {
  const at = line.indexOf(SEPARATOR);
  if (at < 0) return { printed: `${line}\n` };
  return { message: JSON.parse(line.slice(at + 1)) as Message, printed: line.slice(0, at) };
}
