import { inspect } from 'node:util';
import { ScoreCamError, shortened } from '../src/errors';
import { messageOf } from './error-text';
import { printable } from './words';

/** A failure that one line explains. `exitCode` is 2 where the command line itself is wrong. */
export class CliError extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode: 1 | 2 = 1) {
    super(shortened(message));
    this.name = 'CliError';
    this.exitCode = exitCode;
  }
}

export function usageError(message: string): CliError {
  return new CliError(message, 2);
}

/** Ended by a signal, such as Ctrl-C. */
export class Interrupted extends Error {
  readonly exitCode: number;
  readonly signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP';

  constructor(signal: Interrupted['signal'], message = 'Stopped: nothing was written.') {
    super(message);
    this.signal = signal;
    this.exitCode = 128 + { SIGINT: 2, SIGTERM: 15, SIGHUP: 1 }[signal];
  }
}

/**
 * Runs a command to its end and sets the process's exit code. What goes wrong becomes one line on
 * stderr; the stack appears only for a defect, and then only with SCORE_CAM_DEBUG=1.
 * `command` gets a signal that Ctrl-C and its like abort; it is to leave nothing half-done.
 */
export async function runCommand(command: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => controller.abort(new Interrupted(signal)));
  }
  // Whoever started it has been killed: nobody waits for it any more.
  process.on('disconnect', () => controller.abort(new Interrupted('SIGHUP')));
  process.channel?.unref();
  try {
    await command(controller.signal);
  } catch (error) {
    console.error(
      process.env.SCORE_CAM_DEBUG === '1' ? printable(inspect(error), 'lines') : oneLine(error),
    );
    process.exitCode = exitCodeOf(error);
  }
}

/** Longer messages quote something that nobody reads to its end. */
const LONGEST_MESSAGE = 2000;

/** @internal */
export function oneLine(error: unknown): string {
  const text = messageOf(error).slice(0, 10 * LONGEST_MESSAGE);
  const line = printable(text.replace(/[ \t\r]*\n\s*/g, ' ').trim());
  return line.length > LONGEST_MESSAGE ? `${line.slice(0, LONGEST_MESSAGE)} ...` : line;
}

function exitCodeOf(error: unknown): number {
  if (error instanceof CliError || error instanceof Interrupted) return error.exitCode;
  return error instanceof ScoreCamError && error.code === 'option' ? 2 : 1;
}
