import { ScoreCamError, shortened } from '../src/errors';
import { messageOf } from './error-text';

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
  try {
    await command(controller.signal);
  } catch (error) {
    console.error(process.env.SCORE_CAM_DEBUG === '1' ? error : oneLine(error));
    process.exitCode = exitCodeOf(error);
  }
}

function oneLine(error: unknown): string {
  return messageOf(error)
    .replace(/\s*\n\s*/g, ' ')
    .trim();
}

function exitCodeOf(error: unknown): number {
  if (error instanceof CliError || error instanceof Interrupted) return error.exitCode;
  return error instanceof ScoreCamError && error.code === 'option' ? 2 : 1;
}
